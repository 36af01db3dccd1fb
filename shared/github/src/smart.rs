//! Git's own protocol over HTTP, version 2, as far as a copy of history needs it: what a server can, and one pack.
//! Costs none of a token's budget. Knows nothing of what is in a pack. <https://git-scm.com/docs/protocol-v2>

use crate::answer::{self, Resource};
use crate::client::{Client, unreachable};
use crate::error::{Error, Forbidden};
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, Response};
use std::time::Duration;
use url::Url;

/// A repository, asked over git's protocol with a token.
#[derive(Debug)]
pub struct GitRemote {
    client: Client,
    /// Of the repository, where redirects led.
    base: Url,
    /// Whether contents can be left out (`filter`).
    pub can_filter: bool,
    /// Whether history can be cut by time (`deepen-since`).
    pub can_cut: bool,
}

/// What to fetch.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Names of commits, with all that is behind them, or of contents.
    pub wants: &'a [String],
    /// Commits older than this, in seconds since 1970, are left out.
    pub since: Option<i64>,
    /// Leaves out the contents of files.
    pub without_contents: bool,
}

/// A pack as it arrives.
#[derive(Debug)]
pub struct PackStream {
    response: Response,
    packets: Packets,
    in_pack: bool,
    ended: bool,
    /// Commits whose parents were left out.
    pub shallow: Vec<String>,
}

const SERVICE: &str = "git-upload-pack";

impl Client {
    /// Asks what the server can do for `repository` (`owner/name`).
    pub async fn git(&self, repository: &str) -> Result<GitRemote, Error> {
        let other = |host: &str| Error::OtherHost { host: host.to_owned() };
        let base = format!("{}/{repository}.git/", self.url().web());
        let mut base = Url::parse(&base).map_err(|_| other(&base))?;
        // Renamed and transferred repositories answer 301.
        for _ in 0..5 {
            let url = base.join(&format!("info/refs?service={SERVICE}")).map_err(|_| other(base.as_str()))?;
            let mut answer = self.send_git(self.http().request(Method::GET, url.clone())).await.map_err(|error| unreachable(&error, &url))?;
            match answer.status().as_u16() {
                200..=299 => {
                    let mut packets = Packets::default();
                    let mut told = Vec::new();
                    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error, &url))? {
                        packets.feed(&chunk);
                        while let Some(packet) = packets.next()? {
                            if let Packet::Data(line) = packet {
                                told.push(String::from_utf8_lossy(&line).trim().to_owned());
                            }
                        }
                    }
                    if !told.iter().any(|line| line == "version 2") {
                        return Err(Error::Rejected { status: 200, message: "the server does not speak version 2 of git's protocol".to_owned() });
                    }
                    let fetch = told.iter().find_map(|line| line.strip_prefix("fetch=")).unwrap_or_default();
                    let can = |what: &str| fetch.split(' ').any(|one| one == what);
                    return Ok(GitRemote { client: self.clone(), base, can_filter: can("filter"), can_cut: can("shallow") });
                }
                301 | 302 | 307 | 308 => {
                    let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
                    let to = url.join(to).map_err(|_| other(to))?;
                    if to.origin() != base.origin() {
                        return Err(other(to.host_str().unwrap_or_default()));
                    }
                    base = to.join("../").map_err(|_| other(to.as_str()))?;
                }
                _ => return Err(refusal(answer).await),
            }
        }
        Err(Error::Absent { url: base.path().to_owned() })
    }

    async fn send_git(&self, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        // Any user name does; this is the one that GitHub's own tools give.
        request.basic_auth("x-access-token", Some(&self.token().0)).header("git-protocol", "version=2").send().await
    }
}

impl GitRemote {
    /// Asks for a pack, which must be here within `within`.
    pub async fn fetch(&self, wish: &Wish<'_>, within: Duration) -> Result<PackStream, Error> {
        let url = self.base.join(SERVICE).map_err(|_| Error::OtherHost { host: self.base.to_string() })?;
        let request = self.client.http().request(Method::POST, url.clone());
        let request = request.timeout(within).header("content-type", format!("application/x-{SERVICE}-request")).body(body(wish));
        let response = self.client.send_git(request).await.map_err(|error| unreachable(&error, &url))?;
        match response.status().as_u16() {
            200..=299 => Ok(PackStream { response, packets: Packets::default(), in_pack: false, ended: false, shallow: Vec::new() }),
            _ => Err(refusal(response).await),
        }
    }
}

/// Whatever it is, it says nothing of the token: the API may still accept it.
async fn refusal(response: Response) -> Error {
    let (status, headers, path) = (response.status().as_u16(), response.headers().clone(), response.url().path().to_owned());
    let body = response.bytes().await.unwrap_or_default();
    match answer::refused(status, &headers, &body, &path, &Resource::Core, Timestamp::now()) {
        Error::Unauthenticated => Error::Forbidden { reason: Forbidden::Other, message: "git refuses the token (401)".to_owned() },
        other => other,
    }
}

fn body(wish: &Wish<'_>) -> String {
    let mut lines = vec!["command=fetch".to_owned(), concat!("agent=sei-github/", env!("CARGO_PKG_VERSION")).to_owned(), "object-format=sha1".to_owned()];
    let delimited = lines.len();
    lines.extend(["no-progress".to_owned(), "ofs-delta".to_owned()]);
    lines.extend(wish.since.map(|since| format!("deepen-since {since}")));
    lines.extend(wish.without_contents.then(|| "filter blob:none".to_owned()));
    lines.extend(wish.wants.iter().map(|want| format!("want {want}")));
    lines.push("done".to_owned());
    let packet = |line: &String| format!("{:04x}{line}\n", line.len() + 5);
    let (command, arguments) = lines.split_at(delimited);
    let all = |lines: &[String]| lines.iter().map(packet).collect::<String>();
    format!("{}0001{}0000", all(command), all(arguments))
}

impl PackStream {
    /// The next bytes of the pack; none at its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            while let Some(packet) = self.packets.next()? {
                let line = match packet {
                    Packet::Data(line) => line,
                    Packet::Flush => {
                        self.ended = true;
                        continue;
                    }
                    Packet::Other => continue,
                };
                if self.in_pack {
                    match line.split_first() {
                        Some((1, data)) => return Ok(Some(data.to_vec())),
                        Some((3, message)) => return Err(rejected(message)),
                        _ => {}
                    }
                } else if let Some(message) = line.strip_prefix(b"ERR ") {
                    return Err(rejected(message));
                } else if let Some(id) = line.strip_prefix(b"shallow ") {
                    self.shallow.push(String::from_utf8_lossy(id).trim().to_owned());
                } else if line.trim_ascii() == b"packfile" {
                    self.in_pack = true;
                }
            }
            let url = self.response.url().clone();
            match self.response.chunk().await.map_err(|error| unreachable(&error, &url))? {
                Some(chunk) => self.packets.feed(&chunk),
                None if self.ended => return Ok(None),
                None => return Err(Error::Passing { status: Some(200), message: "the pack broke off before it was whole".to_owned() }),
            }
        }
    }
}

fn rejected(message: &[u8]) -> Error {
    Error::Rejected { status: 200, message: format!("git: {}", String::from_utf8_lossy(message).trim()) }
}

/// Lines with their length before them. <https://git-scm.com/docs/protocol-common#_pkt_line_format>
#[derive(Debug, Default)]
struct Packets {
    buffer: Vec<u8>,
    read: usize,
}

enum Packet {
    Data(Vec<u8>),
    Flush,
    /// A delimiter, or the end of a response.
    Other,
}

impl Packets {
    fn feed(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// None until more is fed.
    fn next(&mut self) -> Result<Option<Packet>, Error> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some(length) = rest.get(..4) else { return Ok(None) };
        let length = std::str::from_utf8(length).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let bad = || Error::Passing { status: Some(200), message: "the answer is not git's protocol".to_owned() };
        match length.ok_or_else(bad)? {
            0 => {
                self.read += 4;
                Ok(Some(Packet::Flush))
            }
            1..=3 => {
                self.read += 4;
                Ok(Some(Packet::Other))
            }
            length => {
                let Some(data) = rest.get(4..length) else { return Ok(None) };
                let data = data.to_vec();
                self.read += length;
                Ok(Some(Packet::Data(data)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_told_in_packets() {
        let wants = ["a".repeat(40)];
        let told = body(&Wish { wants: &wants, since: Some(1_700_000_000), without_contents: true });
        assert!(told.starts_with("0012command=fetch\n") && told.ends_with("0009done\n0000"), "{told}");
        assert!(told.contains("001cdeepen-since 1700000000\n0015filter blob:none\n0032want aaaa"), "{told}");
    }

    #[test]
    fn packets_come_in_any_pieces_and_nonsense_is_told() {
        let stream = b"0009abcd\n00010008wxyz0000";
        for size in 1..stream.len() {
            let (mut packets, mut told) = (Packets::default(), String::new());
            for chunk in stream.chunks(size) {
                packets.feed(chunk);
                while let Ok(Some(packet)) = packets.next() {
                    told += &match packet {
                        Packet::Data(data) => String::from_utf8_lossy(&data).into_owned(),
                        Packet::Flush => "|".to_owned(),
                        Packet::Other => "/".to_owned(),
                    };
                }
            }
            assert_eq!(told, "abcd\n/wxyz|", "in pieces of {size}");
        }
        let mut packets = Packets::default();
        packets.feed(b"<html>");
        assert!(packets.next().is_err());
    }
}
