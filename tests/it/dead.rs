//! Dead letters: what each is, whatever it is.

use engine::dead::Letter;

fn letter(body: &str, attributes: &[(&str, &str)]) -> Letter {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Letter { id: "1".to_owned(), queue: "jobs", sent_at: None, received: None, attributes, body: body.to_owned() }
}

#[test]
fn what_a_message_is_is_told_even_if_it_is_nothing() {
    for (letter, what, scope) in [
        (letter(r#"{"scope": 7, "sweep": "issues"}"#, &[]), "issues of repository 7", Some(7)),
        (letter(r#"{"scope": 7, "sweep": "asked"}"#, &[]), "what events left open of repository 7", Some(7)),
        (letter(r#"{"scope": 7, "sweep": "discovery"}"#, &[]), "discovery of organization 7", Some(7)),
        (letter("no\tjob\nat all", &[]), "no job: no job at all", None),
        (letter(r#"{"scope": 7, "sweep": "issues"}"#, &[("event", "push"), ("delivery", "d-1")]), "push d-1", None),
    ] {
        assert_eq!((letter.what().as_str(), letter.scope()), (what, scope));
    }
}

#[tokio::test]
async fn why_a_job_was_given_up_is_said_where_it_is_known() {
    let store = aws::Embedded::in_memory().await.unwrap().store();
    let letters: Vec<Letter> =
        ["issues", "asked", "discovery", "wiki"].iter().map(|sweep| letter(&format!(r#"{{"scope": 7, "sweep": "{sweep}"}}"#), &[])).collect();
    let known = engine::dead::known(&store, &letters, jiff::Timestamp::now()).await.unwrap();
    let why: Vec<Option<&str>> = known.iter().map(|one| one.why.as_deref()).collect();
    assert_eq!(why, [None, None, None, Some("this version knows no such job")]);
}
