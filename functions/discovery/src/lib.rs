//! Placeholder until the function lands.
