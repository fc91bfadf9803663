//! What must not be shown: secrets, and the secret parts of URLs.
