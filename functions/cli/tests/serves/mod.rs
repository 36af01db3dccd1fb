//! `serve` and `events`: push mode on one machine, as its user meets it.

use super::{CANARY, Dir, command, rows, run, small, sync};
use serde_json::{Value, json};
use sim::{Emitted, GitHub};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Ended with the test.
struct Serving(Child, String);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(github: &GitHub, dir: &Dir) -> Serving {
    let mut command = command(&["serve", "--org", "acme", "--api-url", &github.url, "--port", "0", "--data-dir", dir.text()]);
    let mut child = command.env("GITHUB_WEBHOOK_SECRET", CANARY).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("http://").trim_end_matches("/webhook").to_owned();
    Serving(child, address)
}

fn post(address: &str, delivery: &str, event: &Emitted) -> u16 {
    let body = event.payload.to_string();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, CANARY.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, body.as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\nx-github-event: {}\r\nx-github-delivery: {delivery}\r\n\
         x-hub-signature-256: sha256={tag}\r\ncontent-length: {}\r\n\r\n{body}",
        event.name,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

async fn events(dir: &Dir) -> Vec<Value> {
    let (code, out, err) = run(command(&["events", "--json", "--data-dir", dir.text()])).await;
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_in_an_export_within_five_seconds_and_nothing_is_polled() {
    let (github, dir) = (small().await, Dir::new("serves"));
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!(code, 0, "{err}");
    let serving = serve(&github, &dir);
    github.reset_ledger();
    let emitted = {
        let mut world = github.world();
        world.now = jiff::Timestamp::now().as_second();
        world.outbox.clear();
        world.edit("repo-00", "issues", 1, "x");
        let number = world.add_issue("repo-00");
        world.edit("repo-00", "issues", number, "told by an event");
        std::mem::take(&mut world.outbox)
    };
    let began = Instant::now();
    for (number, event) in emitted.iter().enumerate() {
        assert_eq!(post(&serving.1, &format!("d-{number}"), event), 200);
    }
    let there = async || rows(&dir, "issues", &[]).await.iter().any(|row| row["title"] == "told by an event" && row["sub_issues"] == json!([]));
    while !there().await {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", events(&dir).await);
    }
    // All that was asked is what the payloads lacked.
    let ledger = github.ledger();
    assert!(ledger.requests <= emitted.len() as u64, "{ledger:?}");
    let (code, out, _) = run(command(&["events", "d-0", "--data-dir", dir.text()])).await;
    assert_eq!(code, 0);
    for word in ["issues.", "acme/repo-00", "received", "signature verified", "durable", "applied"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    assert!(!out.contains(CANARY));
    let (code, _, err) = run(command(&["events", "nobody", "--data-dir", dir.text()])).await;
    assert!(code == 1 && err.contains("nobody"), "{err}");
    // Nobody else writes into it meanwhile.
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert!(code == 1 && err.contains("in use"), "{err}");
    drop(serving);
    assert!(events(&dir).await.iter().all(|event| event["outcome"] == "applied" || event["outcome"] == "superseded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nothing_is_served() {
    let (github, dir) = (small().await, Dir::new("serves-nothing"));
    let (code, _, err) = run(command(&["serve", "--org", "acme", "--api-url", &github.url, "--port", "0", "--data-dir", dir.text()])).await;
    assert!(code == 4 && err.contains("GITHUB_WEBHOOK_SECRET"), "{err}");
}
