// The mock from a Go test: net/http and nothing else.
//
//	gateproof mock &
//	go test ./...        (MOCK_URL=http://127.0.0.1:8089 is the default)
//
// In your tests the client below is your gateway, configured with origin + "/v1".
package mock

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const deadline = 20 * time.Second

func origin() string {
	if url := os.Getenv("MOCK_URL"); url != "" {
		return url
	}
	return "http://127.0.0.1:8089"
}

// control sends a request to the control API and reads what it answers into found.
func control(t *testing.T, method, path, body string, found any) {
	t.Helper()
	client := http.Client{Timeout: deadline}
	request, err := http.NewRequest(method, origin()+"/_gateproof/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, path, answer.Status, data, err)
	}
	if found != nil {
		if err := json.Unmarshal(data, found); err != nil {
			t.Fatal(err)
		}
	}
}

type event struct {
	Type  string `json:"type"`
	Delta string `json:"delta"`
}

// stream is an answer that is read event by event.
type stream struct {
	t     *testing.T
	lines *bufio.Reader
}

// ask calls the model. The stream ends with the test, or with ctx.
func ask(ctx context.Context, t *testing.T, model string) stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, deadline)
	t.Cleanup(cancel)
	body := `{"model": "` + model + `", "stream": true, "input": "Hi."}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, origin()+"/v1/responses", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	// A bufio.Scanner would give up at a line of 64 KiB; ask the mock for gp-play-line-1mib.
	return stream{t, bufio.NewReader(answer.Body)}
}

// next reads one event. At the end of the stream its error is io.EOF.
func (s stream) next() (event, error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var found event
			return found, json.Unmarshal([]byte(data), &found)
		}
	}
}

// until reads up to an event of this type.
func (s stream) until(kind string) event {
	s.t.Helper()
	for {
		found, err := s.next()
		if err != nil {
			s.t.Fatalf("before %s: %v", kind, err)
		}
		if found.Type == kind {
			return found
		}
	}
}

type journal struct {
	Calls []struct {
		Ended  string         `json:"ended"`
		Stream bool           `json:"stream"`
		JSON   map[string]any `json:"json"`
	} `json:"calls"`
}

func TestTurnThatFailsInMidStream(t *testing.T) {
	control(t, "PUT", "scripts/go-failed", `{
		"when": {"model": "go-failed"},
		"calls": [{"say": [{"text": ["Hel", "lo"]}, {"failed": {"code": "server_error"}}]}]
	}`, nil)

	answer := ask(context.Background(), t, "go-failed")

	answer.until("response.failed")
	if after, err := answer.next(); err != io.EOF {
		t.Fatalf("after response.failed came %v, %v", after, err)
	}
}

func TestStreamThatIsHeldAndReleased(t *testing.T) {
	control(t, "PUT", "scripts/go-held", `{
		"when": {"model": "go-held"},
		"calls": [{"say": [{"text": "one"}, {"hold": "seen"}, {"text": "two"}]}]
	}`, nil)

	answer := ask(context.Background(), t, "go-held")
	if first := answer.until("response.output_text.delta"); first.Delta != "one" {
		t.Fatalf("the first word is %q", first.Delta)
	}
	var barrier struct{ Reached, Released bool }
	control(t, "GET", "barriers/go-held/seen?within=10", "", &barrier)
	if !barrier.Reached || barrier.Released {
		t.Fatalf("the barrier is %+v", barrier)
	}

	control(t, "POST", "barriers/go-held/seen", "", nil)
	if second := answer.until("response.output_text.delta"); second.Delta != "two" {
		t.Fatalf("the second word is %q", second.Delta)
	}
	answer.until("response.completed")

	var seen journal
	control(t, "GET", "journal?script=go-held&calls=1&ended=1&within=10", "", &seen)
	if len(seen.Calls) != 1 || seen.Calls[0].Ended != "played" || seen.Calls[0].JSON["input"] != "Hi." {
		t.Fatalf("the journal has %+v", seen.Calls)
	}
}

func TestClientThatGoesAwayIsSeen(t *testing.T) {
	control(t, "PUT", "scripts/go-left", `{
		"when": {"model": "go-left"},
		"calls": [{"say": [{"text": "one"}, {"hold": "never"}, {"text": "two"}]}]
	}`, nil)

	ctx, leave := context.WithCancel(context.Background())
	answer := ask(ctx, t, "go-left")
	answer.until("response.output_text.delta")
	leave()
	if _, err := answer.next(); !errors.Is(err, context.Canceled) {
		t.Fatalf("expected a canceled request, got %v", err)
	}

	var seen journal
	control(t, "GET", "journal?script=go-left&calls=1&ended=1&within=10", "", &seen)
	if len(seen.Calls) != 1 || seen.Calls[0].Ended != "client went away" {
		t.Fatalf("the journal has %+v", seen.Calls)
	}
}
