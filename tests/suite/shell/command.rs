//! `deckwatch shell` as a program: pipes, `--exec`, exit codes, secrets.
