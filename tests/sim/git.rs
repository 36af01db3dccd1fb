//! Git's protocol over HTTP, version 2, as GitHub speaks it: what the server can, branches, and packs. Packs hold whole
//! objects, no differences. <https://git-scm.com/docs/protocol-v2>

use crate::objects::{Picked, Wanted};
use crate::world::{World, nwo};
use axum::http::Method;
use flate2::{Compression, write::ZlibEncoder};
use serde_json::Value;
use std::io::Write as _;

/// How the server's git behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GitServer {
    #[default]
    Works,
    /// Cannot leave anything out: no `filter`, no `deepen-since`.
    Plain,
    /// Every request gets this status.
    Refuses(u16),
    /// Packs break off in the middle.
    CutsOff,
    /// It speaks the former version only.
    Version1,
}

/// A status and a body.
type Answered = (u16, Vec<u8>);

/// The answer to a request below `/OWNER/NAME.git/`; none if the path is no such place.
pub(crate) fn answer(world: &World, server: GitServer, method: &Method, path: &str, body: &[u8]) -> Option<Answered> {
    let (repo, service) = path.trim_start_matches('/').split_once(".git/")?;
    let (owner, name) = repo.split_once('/')?;
    if let GitServer::Refuses(status) = server {
        return Some((status, b"refused".to_vec()));
    }
    let Some(repo) = world.repo(owner, name) else { return Some((404, b"Repository not found.".to_vec())) };
    Some(match (method, service) {
        (&Method::GET, "info/refs") if server == GitServer::Version1 => (
            200,
            [line("# service=git-upload-pack\n"), b"0000".to_vec(), line("0000000000000000000000000000000000000000 capabilities^{}\0\n"), b"0000".to_vec()]
                .concat(),
        ),
        (&Method::GET, "info/refs") => {
            let fetch = if server == GitServer::Plain { "fetch\n" } else { "fetch=shallow wait-for-done filter\n" };
            let lines = ["version 2\n", "agent=git/sim\n", "ls-refs=unborn\n", fetch, "server-option\n", "object-format=sha1\n"];
            (200, [lines.map(line).concat(), b"0000".to_vec()].concat())
        }
        (&Method::POST, "git-upload-pack") => (200, command(world, server, repo, body)),
        _ => (404, Vec::new()),
    })
}

fn line(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [format!("{:04x}", text.len() + 4).as_bytes(), text].concat()
}

fn command(world: &World, server: GitServer, repo: &Value, body: &[u8]) -> Vec<u8> {
    let lines = lines(body);
    match lines.first().map(String::as_str) {
        Some("command=ls-refs") => refs(repo),
        Some("command=fetch") => fetch(world, server, repo, &lines),
        _ => line("ERR unknown command"),
    }
}

fn lines(body: &[u8]) -> Vec<String> {
    let (mut lines, mut rest) = (Vec::new(), body);
    while let Some(length) = rest.get(..4).and_then(|text| usize::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()) {
        let end = length.max(4);
        let Some(data) = rest.get(4..end) else { break };
        if length > 4 {
            lines.push(String::from_utf8_lossy(data).trim_end().to_owned());
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    lines
}

fn refs(repo: &Value) -> Vec<u8> {
    let mut answer = Vec::new();
    if let Some(head) = repo.pointer("/defaultBranchRef/target").and_then(Value::as_str) {
        answer.extend(line(format!("{head} HEAD symref-target:refs/heads/main\n")));
    }
    for one in repo.get("refs").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        answer.extend(line(format!("{} {}{}\n", text("target"), text("prefix"), text("name"))));
    }
    answer.extend_from_slice(b"0000");
    answer
}

fn fetch(world: &World, server: GitServer, repo: &Value, lines: &[String]) -> Vec<u8> {
    let argument = |name: &str| lines.iter().filter_map(|line| Some(line.strip_prefix(name)?.strip_prefix(' ')?.to_owned())).collect::<Vec<String>>();
    let ids = argument("want");
    let since = argument("deepen-since").first().and_then(|text| text.parse().ok());
    let without_contents = argument("filter").iter().any(|filter| filter == "blob:none");
    if server == GitServer::Plain && (since.is_some() || without_contents) {
        return line("ERR fetch: unexpected argument");
    }
    let picked = match world.objects.pick(&Wanted { ids: &ids, since, without_contents }) {
        Ok(picked) => picked,
        Err(why) => return line(format!("ERR {why}")),
    };
    let mut answer = Vec::new();
    // Whoever still negotiates is told what both have; the pack holds all of it nevertheless.
    if !lines.iter().any(|line| line == "done") {
        let commits = repo.get("commits").and_then(Value::as_object);
        let common: Vec<String> = argument("have").into_iter().filter(|oid| commits.is_some_and(|commits| commits.contains_key(oid))).collect();
        answer.extend(line("acknowledgments\n"));
        if common.is_empty() {
            answer.extend(line("NAK\n"));
            answer.extend_from_slice(b"0000");
            return answer;
        }
        common.iter().for_each(|oid| answer.extend(line(format!("ACK {oid}\n"))));
        answer.extend(line("ready\n"));
        answer.extend_from_slice(b"0001");
    }
    if since.is_some() {
        answer.extend(line("shallow-info\n"));
        picked.shallow.iter().for_each(|oid| answer.extend(line(format!("shallow {oid}"))));
        answer.extend_from_slice(b"0001");
    }
    answer.extend(line("packfile\n"));
    let mut pack = pack(&picked);
    if server == GitServer::CutsOff {
        pack.truncate(pack.len() / 2);
    }
    answer.extend(line(b"\x02Enumerating objects\n"));
    for chunk in pack.chunks(65_000) {
        answer.extend(line([&[1], chunk].concat()));
    }
    if server != GitServer::CutsOff {
        answer.extend_from_slice(b"0000");
    }
    answer
}

/// <https://git-scm.com/docs/pack-format>
fn pack(picked: &Picked) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend(u32::try_from(picked.objects.len()).unwrap_or(0).to_be_bytes());
    for (kind, body) in &picked.objects {
        let kind = match *kind {
            "commit" => 1,
            "tree" => 2,
            _ => 3_u8,
        };
        let mut left = body.len();
        let mut byte = kind << 4 | u8::try_from(left & 15).unwrap_or(0);
        left >>= 4;
        while left > 0 {
            pack.push(byte | 128);
            byte = u8::try_from(left & 127).unwrap_or(0);
            left >>= 7;
        }
        pack.push(byte);
        let mut encoder = ZlibEncoder::new(&mut pack, Compression::fast());
        let _ = encoder.write_all(body);
        let _ = encoder.finish();
    }
    let name = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &pack);
    pack.extend_from_slice(name.as_ref());
    pack
}

/// Of whom a path below `/OWNER/NAME.git/` speaks, as the API would say it.
pub(crate) fn about(world: &World, path: &str) -> Option<String> {
    let (repo, _) = path.trim_start_matches('/').split_once(".git/")?;
    let (owner, name) = repo.split_once('/')?;
    world.repo(owner, name).map(nwo)
}
