//! What GitHub tells of what happens: events with their payloads, waiting to be delivered.

use serde_json::Value;

/// An event, before anybody is sent it.
#[derive(Debug, Clone)]
pub struct Emitted {
    pub name: &'static str,
    pub payload: Value,
}
