/* Load generator of benchmarks/mock_speed.py: one thread, raw epoll, HTTP/1.1 keep-alive; prints one JSON line.

   cc -O2 -o load load.c
   load requests PORT FILE CONNECTIONS SECONDS WARM_SECONDS   closed loop of whole answers
   load stream   PORT FILE CONNECTIONS SECONDS WARM_SECONDS   the same, and events and time to first body byte
   load hold     PORT FILE STREAMS TIMEOUT_SECONDS            open, report, stay until stdin closes
   load pace     PORT FILE STREAMS TIMEOUT_SECONDS RAMP_MS    one answer per connection: how long each took

   FILE holds the bytes of one request. Times are in ms. "busy" is how much of the measured window the generator
   had something to do: at 1.0 it is the limit, not the server. In requests and stream it never sleeps, so that the
   server does not pay for waking it: with that cost the same server is two to three times slower, or not, by chance.

   An event is counted at its blank line ("\n\n"). An answer that is cut off, or that is not a 2xx, counts in
   "errors". A connection that the server closed between two answers is opened again; the time counts to the answer. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, READ_SIZE = 1 << 18, EVENTS_MAX = 512 };

typedef enum { HEAD, BY_LENGTH, BY_CLOSE, SIZE, SIZE_REST, DATA, DATA_END, TRAILER, DONE } State;

typedef struct {
    int fd;
    State state;
    bool connecting, close_after, used, newline, failed, first, idle;
    size_t sent, head_len;
    uint64_t left;          /* bytes of the body or of the chunk still to come */
    unsigned trailer_line;  /* bytes in the current trailer line */
    unsigned tries;
    uint64_t events, events_counted;
    int64_t asked, first_byte, last_byte, ended;
    char head[HEAD_MAX];
} Conn;

typedef struct { double *at; size_t n, room; } Sample;

static const char *request;
static size_t request_len;
static struct sockaddr_in address;
static int poller;
static char buffer[READ_SIZE];
static uint64_t answers, errors, events_seen, reconnects, bytes_seen;
static bool counting = true;
static Sample latency, ttfb;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void keep(Sample *s, int64_t ns) {
    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 4096;
        s->at = realloc(s->at, s->room * sizeof *s->at);
        if (!s->at) die("realloc");
    }
    s->at[s->n++] = (double)ns / 1e6;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at(const Sample *s, double q) { /* nearest rank, of a sorted sample */
    if (!s->n) return -1;
    size_t i = (size_t)(q * (double)s->n);
    return s->at[i < s->n ? i : s->n - 1];
}

static void print_sample(const char *name, Sample *s) {
    if (s->n) qsort(s->at, s->n, sizeof *s->at, by_size);
    printf(", \"%s\": {\"n\": %zu, \"min\": %.4f, \"p50\": %.4f, \"p99\": %.4f, \"max\": %.4f}", name, s->n,
           s->n ? s->at[0] : -1, at(s, 0.5), at(s, 0.99), s->n ? s->at[s->n - 1] : -1);
}

/* ---- one connection ---- */

static void watch(Conn *c, int how, uint32_t what) {
    struct epoll_event e = {.events = what, .data.ptr = c};
    if (epoll_ctl(poller, how, c->fd, &e)) die("epoll_ctl");
}

static void hang_up(Conn *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static int new_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) die("socket (is `ulimit -n` large enough?)");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void dial_now(Conn *c) { /* before the clock runs: blocking, so that no backlog overflows */
    c->fd = new_socket();
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->used = c->connecting = false;
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void dial_later(Conn *c) { /* within the measurement */
    c->fd = new_socket();
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->used = false;
    reconnects++;
    int rc = connect(c->fd, (struct sockaddr *)&address, sizeof address);
    if (rc && errno != EINPROGRESS) die("connect");
    c->connecting = rc != 0;
    watch(c, EPOLL_CTL_ADD, c->connecting ? EPOLLOUT : EPOLLIN);
}

static void send_rest(Conn *c) {
    while (c->sent < request_len) {
        ssize_t n = send(c->fd, request + c->sent, request_len - c->sent, MSG_NOSIGNAL);
        if (n > 0) { c->sent += (size_t)n; continue; }
        if (errno == EINTR) continue;
        if (errno == EAGAIN) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        return; /* a reset shows again when reading */
    }
}

static void reset(Conn *c) {
    c->state = HEAD;
    c->sent = c->head_len = 0;
    c->left = 0;
    c->events = 0;
    c->newline = c->close_after = c->failed = c->first = c->idle = false;
}

static void ask(Conn *c) {
    reset(c);
    c->tries = 0;
    c->asked = now_ns();
    if (c->fd < 0) dial_later(c);
    if (!c->connecting) send_rest(c);
}

/* ---- the answer ---- */

static void count_events(Conn *c, const char *p, size_t n) {
    const char *end = p + n;
    uint64_t found = 0;
    bool newline = c->newline;
    while (p < end) {
        if (newline && *p == '\n') {
            found++;
            newline = false;
            p++;
            continue;
        }
        const char *hit = memchr(p, '\n', (size_t)(end - p));
        newline = hit != NULL;
        p = hit ? hit + 1 : end;
    }
    c->newline = newline;
    c->events += found;
    if (counting) events_seen += found;
}

static void take_body(Conn *c, const char *p, size_t n, int64_t now) {
    if (!n) return;
    if (!c->first) {
        c->first = true;
        c->first_byte = now;
    }
    c->last_byte = now;
    count_events(c, p, n);
}

static const char *field(const char *head, const char *name) { /* the value of a header field, or NULL */
    size_t n = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line, "\r\n")) {
        line += 2;
        if (!strncasecmp(line, name, n) && line[n] == ':') {
            line += n + 1;
            return line + strspn(line, " \t");
        }
    }
    return NULL;
}

static void read_head(Conn *c) {
    c->head[c->head_len] = 0;
    const char *length = field(c->head, "content-length"), *coding = field(c->head, "transfer-encoding");
    const char *connection = field(c->head, "connection");
    int status = c->head_len > 12 ? atoi(c->head + 9) : 0;
    if (status == 100) { c->head_len = 0; return; }
    c->failed = status < 200 || status > 299;
    c->close_after = connection ? !strncasecmp(connection, "close", 5) : !strncmp(c->head, "HTTP/1.0", 8);
    if (coding && !strncasecmp(coding, "chunked", 7)) {
        c->state = SIZE;
    } else if (length) {
        c->left = strtoull(length, NULL, 10);
        c->state = c->left ? BY_LENGTH : DONE;
    } else if (status == 204 || status == 304) {
        c->state = DONE;
    } else {
        c->state = BY_CLOSE;
        c->close_after = true;
    }
}

static const char *take_head(Conn *c, const char *p, const char *end) { /* up to the blank line */
    while (p < end && c->state == HEAD) {
        if (c->head_len >= HEAD_MAX - 1) { errno = EMSGSIZE; die("answer head"); }
        c->head[c->head_len++] = *p++;
        if (p[-1] == '\n' && c->head_len >= 4 && !memcmp(c->head + c->head_len - 4, "\r\n\r\n", 4)) read_head(c);
    }
    return p;
}

static inline int hex(char ch) {
    if (ch >= '0' && ch <= '9') return ch - '0';
    ch |= 32;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static void size_ended(Conn *c) {
    c->state = c->left ? DATA : TRAILER;
    c->trailer_line = 0;
}

static const char *take_chunks(Conn *c, const char *p, const char *end, int64_t now) {
    while (p < end && c->state != DONE) {
        switch (c->state) {
        case SIZE:
            while (p < end && hex(*p) >= 0) c->left = c->left << 4 | (uint64_t)hex(*p++);
            if (p < end) {
                if (*p == '\n') size_ended(c);
                else if (*p == '\r' || *p == ';' || *p == ' ') c->state = SIZE_REST;
                else { errno = EPROTO; die("chunk size"); }
                p++;
            }
            break;
        case SIZE_REST:
            if (*p++ == '\n') size_ended(c);
            break;
        case DATA: {
            size_t n = (size_t)(end - p) < c->left ? (size_t)(end - p) : (size_t)c->left;
            take_body(c, p, n, now);
            p += n;
            c->left -= n;
            if (!c->left) c->state = DATA_END;
            break;
        }
        case DATA_END:
            if (*p++ == '\n') c->state = SIZE;
            break;
        default: /* TRAILER */
            if (*p == '\n') {
                if (!c->trailer_line) c->state = DONE;
                c->trailer_line = 0;
            } else if (*p != '\r') {
                c->trailer_line++;
            }
            p++;
        }
    }
    return p;
}

static void take(Conn *c, const char *p, size_t n, int64_t now) { /* sets DONE when the answer is whole */
    const char *end = p + n;
    bytes_seen += n;
    if (c->state == HEAD) p = take_head(c, p, end);
    if (c->state == BY_LENGTH || c->state == BY_CLOSE) {
        size_t here = (size_t)(end - p);
        if (c->state == BY_LENGTH && here > c->left) here = (size_t)c->left;
        take_body(c, p, here, now);
        p += here;
        if (c->state == BY_LENGTH && !(c->left -= here)) c->state = DONE;
    } else if (c->state != HEAD && c->state != DONE) {
        p = take_chunks(c, p, end, now);
    }
    if (c->state == DONE && p < end) c->failed = true; /* bytes after the answer */
}

/* What reading brought: 1 = the answer is whole (or cut off: c->failed), 0 = not yet. */
static int hear(Conn *c) {
    for (;;) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return 0;
        int64_t now = now_ns();
        if (n > 0) {
            take(c, buffer, (size_t)n, now);
            if (c->state == DONE) {
                c->ended = now;
                c->used = true;
                if (c->close_after) hang_up(c);
                return 1;
            }
            if ((size_t)n < sizeof buffer) return 0;
            continue;
        }
        hang_up(c);
        if (n == 0 && c->state == BY_CLOSE) {
            c->ended = now;
            return 1;
        }
        if (c->state == HEAD && !c->head_len && c->tries++ < (c->used ? 3 : 0)) {
            c->sent = 0; /* closed between two answers: the same request again */
            dial_later(c);
            if (!c->connecting) send_rest(c);
            return 0;
        }
        c->failed = true;
        c->ended = now;
        return 1;
    }
}

static int serve(Conn *c, uint32_t what) { /* one readiness; 1 = the answer ended */
    if (c->idle) { /* nothing asked: only a close can come */
        hang_up(c);
        return 0;
    }
    if (c->connecting) {
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error) { errno = error; die("connect"); }
        c->connecting = false;
        send_rest(c);
        if (c->sent == request_len) watch(c, EPOLL_CTL_MOD, EPOLLIN);
        return 0;
    }
    if (what & EPOLLOUT) {
        send_rest(c);
        if (c->sent == request_len) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }
    return what & (EPOLLIN | EPOLLHUP | EPOLLERR) ? hear(c) : 0;
}

/* ---- the modes ---- */

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void account(Conn *c) {
    if (c->failed) { errors++; return; }
    if (!counting) return;
    answers++;
    keep(&latency, c->ended - c->asked);
    if (c->first) keep(&ttfb, c->first_byte - c->asked);
}

static void print_counts(const char *mode, int n, double seconds, double busy) {
    printf("{\"mode\": \"%s\", \"connections\": %d, \"seconds\": %.4f, \"answers\": %llu, \"errors\": %llu, "
           "\"events\": %llu, \"bytes\": %llu, \"reconnects\": %llu, \"busy\": %.3f",
           mode, n, seconds, (unsigned long long)answers, (unsigned long long)errors,
           (unsigned long long)events_seen, (unsigned long long)bytes_seen, (unsigned long long)reconnects,
           seconds > 0 ? busy / seconds : 0);
}

static int closed_loop(const char *mode, Conn *all, int n, double seconds, double warm) {
    struct epoll_event ready[EVENTS_MAX];
    int64_t begin = now_ns() + (int64_t)(warm * 1e9), end = begin + (int64_t)(seconds * 1e9), now, waited = 0, polled = 0;
    counting = warm <= 0;
    for (int i = 0; i < n; i++) ask(&all[i]);
    while ((now = now_ns()) < end) {
        if (polled) waited += now - polled;
        if (!counting && now >= begin) {
            counting = true;
            begin = now;
            bytes_seen = reconnects = 0;
            waited = 0;
        }
        int got = epoll_wait(poller, ready, EVENTS_MAX, 0);
        polled = got ? 0 : now;
        for (int i = 0; i < got; i++) {
            Conn *c = ready[i].data.ptr;
            if (!serve(c, ready[i].events)) continue;
            account(c);
            if (errors > 100) { fprintf(stderr, "load: more than 100 answers failed; the last head:\n%.*s\n", (int)c->head_len, c->head); return 1; }
            ask(c);
        }
    }
    print_counts(mode, n, (double)(now - begin) / 1e9, (double)(now - begin - waited) / 1e9);
    print_sample("latency", &latency);
    print_sample("ttfb", &ttfb);
    printf("}\n");
    return 0;
}

static int missing_first(const Conn *all, int n) {
    int missing = 0;
    for (int i = 0; i < n; i++) missing += !all[i].first;
    return missing;
}

static void stay(void) { /* until stdin closes, swallowing what comes */
    struct epoll_event ready[EVENTS_MAX], e = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &e)) return; /* not a pipe: there is nothing to wait for */
    for (;;) {
        int got = epoll_wait(poller, ready, EVENTS_MAX, -1);
        for (int i = 0; i < got; i++) {
            Conn *c = ready[i].data.ptr;
            if (!c) {
                if (read(0, buffer, sizeof buffer) <= 0) return;
            } else if (c->fd >= 0 && recv(c->fd, buffer, sizeof buffer, 0) == 0) {
                hang_up(c);
            }
        }
    }
}

static int hold(Conn *all, int n, double timeout) {
    struct epoll_event ready[EVENTS_MAX];
    int64_t begin = now_ns(), end = begin + (int64_t)(timeout * 1e9);
    double cpu = cpu_seconds();
    int missing = n, over = 0;
    for (int i = 0; i < n; i++) ask(&all[i]);
    while (missing && now_ns() < end) {
        int got = epoll_wait(poller, ready, EVENTS_MAX, 20);
        for (int i = 0; i < got; i++) {
            Conn *c = ready[i].data.ptr;
            bool had = c->first;
            if (serve(c, ready[i].events)) { over++; c->idle = true; }
            if (c->first && !had) { missing--; keep(&ttfb, c->first_byte - c->asked); }
            if (c->first && c->failed) errors++;
        }
    }
    print_counts("hold", n, (double)(now_ns() - begin) / 1e9, cpu_seconds() - cpu);
    printf(", \"missing\": %d, \"over\": %d", missing_first(all, n), over);
    print_sample("ttfb", &ttfb);
    printf("}\n");
    fflush(stdout);
    stay();
    return 0;
}

static void pace_ended(Conn *c, Sample *body, Sample *to_end, Sample *count) {
    account(c);
    if (c->failed || !c->first) return;
    keep(body, c->last_byte - c->first_byte);
    keep(to_end, c->ended - c->first_byte);
    keep(count, (int64_t)c->events * 1000000);
}

static int pace(Conn *all, int n, double timeout, double ramp_ms) {
    struct epoll_event ready[EVENTS_MAX];
    Sample body = {0}, to_end = {0}, count = {0};
    int64_t begin = now_ns(), end = begin + (int64_t)(timeout * 1e9), step = (int64_t)(ramp_ms * 1e6) / n, now;
    double cpu = cpu_seconds();
    int asked = 0, ended = 0;
    for (int i = 0; i < n; i++) all[i].idle = true;
    while (ended < n && (now = now_ns()) < end) {
        while (asked < n && now >= begin + asked * step) ask(&all[asked++]);
        int got = epoll_wait(poller, ready, EVENTS_MAX, asked < n ? 1 : 20);
        for (int i = 0; i < got; i++) {
            Conn *c = ready[i].data.ptr;
            if (!serve(c, ready[i].events)) continue;
            ended++;
            c->idle = true;
            pace_ended(c, &body, &to_end, &count);
            hang_up(c);
        }
    }
    print_counts("pace", n, (double)(now_ns() - begin) / 1e9, cpu_seconds() - cpu);
    printf(", \"unfinished\": %d", n - ended);
    print_sample("latency", &latency);
    print_sample("ttfb", &ttfb);
    print_sample("first_to_last", &body);
    print_sample("first_to_end", &to_end);
    print_sample("events_each", &count);
    printf("}\n");
    return 0;
}

static void read_request(const char *name) {
    FILE *f = fopen(name, "rb");
    static char text[1 << 20];
    if (!f) die(name);
    request_len = fread(text, 1, sizeof text, f);
    request = text;
    fclose(f);
}

static void allow_files(int n) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (rlim_t)n + 64) {
        limit.rlim_cur = limit.rlim_max < (rlim_t)n + 64 ? limit.rlim_max : (rlim_t)n + 64;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: load requests|stream|hold|pace PORT FILE N SECONDS [WARM_SECONDS|RAMP_MS]\n");
        return 2;
    }
    const char *mode = argv[1];
    int n = atoi(argv[4]);
    double seconds = atof(argv[5]), extra = argc > 6 ? atof(argv[6]) : 0;
    if (n < 1) return 2;
    signal(SIGPIPE, SIG_IGN);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    read_request(argv[3]);
    allow_files(n);
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
    Conn *all = calloc((size_t)n, sizeof *all);
    if (!all) die("calloc");
    for (int i = 0; i < n; i++) dial_now(&all[i]);
    if (!strcmp(mode, "hold")) return hold(all, n, seconds);
    if (!strcmp(mode, "pace")) return pace(all, n, seconds, extra);
    return closed_loop(mode, all, n, seconds, extra);
}
