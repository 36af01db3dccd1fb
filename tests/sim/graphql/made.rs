//! What the world does not keep because nothing in it changes that: follows from what it keeps. Knows no world.

use serde_json::{Value, json};
use std::sync::LazyLock;

/// Every kind of reaction is told, also those that nobody had.
static REACTIONS: LazyLock<Value> = LazyLock::new(|| {
    let kinds = ["THUMBS_UP", "THUMBS_DOWN", "LAUGH", "HOORAY", "CONFUSED", "HEART", "ROCKET", "EYES"];
    kinds.iter().map(|content| json!({ "content": content })).collect()
});

pub(super) fn field(kind: &str, name: &str) -> Option<&'static Value> {
    ((kind, name) == ("Release", "reactionGroups")).then(|| &*REACTIONS)
}

pub(super) fn leaf(kind: &str, name: &str, of: &Value) -> Option<Value> {
    let text = |name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default();
    let open = text("state") == "OPEN";
    Some(match (kind, name) {
        ("User", "avatarUrl") => json!(format!("https://avatars.githubusercontent.com/u/{}?v=4", of.get("databaseId").unwrap_or(&Value::Null))),
        ("User", "url") => json!(format!("https://github.com/{}", text("login"))),
        ("User", "isSiteAdmin") | ("PullRequest", "maintainerCanModify") => json!(false),
        ("Release", "descriptionHTML") => json!(format!("<p>{}</p>", text("description"))),
        ("PullRequest", "mergeable") => json!(if open { "MERGEABLE" } else { "UNKNOWN" }),
        ("PullRequest", "mergeStateStatus") => json!(if open { "CLEAN" } else { "UNKNOWN" }),
        ("PullRequest", "canBeRebased") => json!(open),
        // Absent once ids need more than 32 bits.
        ("PullRequestReview", "databaseId") => json!(text("fullDatabaseId").parse::<i32>().ok()),
        _ => return None,
    })
}
