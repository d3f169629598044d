"""What is asked, in no API's words: written for the surface that is called, read from what the upstream received."""
