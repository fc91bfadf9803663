//! Hostile text on screens.
