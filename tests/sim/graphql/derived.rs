//! Fields that the world does not keep because they follow from what it keeps, or are always the same; as REST shapes them.

use crate::shapes;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Every kind of reaction is told, also those that nobody had.
static REACTIONS: LazyLock<Value> = LazyLock::new(|| {
    let kinds = ["THUMBS_UP", "THUMBS_DOWN", "LAUGH", "HOORAY", "CONFUSED", "HEART", "ROCKET", "EYES"];
    kinds.iter().map(|content| json!({ "content": content })).collect()
});

pub(super) fn constant(kind: &str, name: &str) -> Option<&'static Value> {
    ((kind, name) == ("Release", "reactionGroups")).then(|| &*REACTIONS)
}

pub(super) fn leaf(kind: &str, name: &str, of: &Value) -> Option<Value> {
    let text = |name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default();
    let open = text("state") == "OPEN";
    Some(match (kind, name) {
        ("User", "avatarUrl") => shapes::user(of).get("avatar_url")?.clone(),
        ("User", "url") => shapes::user(of).get("html_url")?.clone(),
        ("User", "isSiteAdmin") => shapes::user(of).get("site_admin")?.clone(),
        ("PullRequest", "maintainerCanModify") => json!(false),
        ("Release", "descriptionHTML") => json!(format!("<p>{}</p>", text("description"))),
        ("PullRequest", "mergeable") => json!(if open { "MERGEABLE" } else { "UNKNOWN" }),
        ("PullRequest", "mergeStateStatus") => json!(if open { "CLEAN" } else { "UNKNOWN" }),
        ("PullRequest", "canBeRebased") => json!(open),
        // Absent once ids need more than 32 bits.
        ("PullRequestReview", "databaseId") => json!(text("fullDatabaseId").parse::<i32>().ok()),
        _ => return None,
    })
}
