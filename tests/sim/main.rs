//! `sim-github`: the simulated GitHub as a program. Prints its address and organization, and serves until it is killed.

use sim::{GitHub, Size, World};
use std::process::ExitCode;

const USAGE: &str = "usage: sim-github [--port N] [--seed N] [--size small|one-repo|organization|many] [--latency-ms N]";

#[tokio::main]
async fn main() -> ExitCode {
    let (mut port, mut seed, mut size, mut latency) = (0_u16, 7_u64, "small".to_owned(), 0_u64);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let known = match name.as_str() {
            "--port" => value.parse().map(|value| port = value).is_ok(),
            "--seed" => value.parse().map(|value| seed = value).is_ok(),
            "--latency-ms" => value.parse().map(|value| latency = value).is_ok(),
            "--size" => {
                size = value;
                ["small", "one-repo", "organization", "many"].contains(&size.as_str())
            }
            _ => false,
        };
        if !known {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    let mut world = match size.as_str() {
        "one-repo" => World::seeded(seed, Size::ONE),
        "organization" => World::seeded(seed, &Size::organization()),
        // As many as the largest organizations have.
        "many" => World::seeded(seed, &[Size(1, 1, 1); 14_000]),
        _ => World::seeded(seed, Size::SMALL),
    };
    world.emits = true;
    match GitHub::start_with(world, port, std::sync::Arc::new(|| jiff::Timestamp::now().as_second())).await {
        Ok(github) => {
            github.faults().latency_ms = latency;
            println!("{} acme", github.url);
            loop {
                github.deliver().await;
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        Err(error) => {
            eprintln!("sim-github cannot serve: {error}");
            ExitCode::FAILURE
        }
    }
}
