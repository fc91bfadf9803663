//! What the user asked to open.
