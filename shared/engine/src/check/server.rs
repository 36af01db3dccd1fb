//! What the first answer tells of the way to GitHub and of the server itself.

use super::asker::{Asker, Heard, Silence};
use super::codes::{API_VERSION, CLOCK, Code, DNS, PROXY, REACHABLE, SCHEMA, TLS, VERSION};
use super::finding::Finding;
use github::{ApiUrl, Error, Reply, Told, Unreached};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// How GitHub is reached, as far as the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// Address of the proxy that the environment names, without its password.
    pub proxy: Option<String>,
    /// Whether certificates of the owner's are trusted, too.
    pub private_ca: bool,
}

const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The way to the server, up to the first answer.
pub(crate) fn way(first: &Heard<Reply>, url: &ApiUrl, way: &Way) -> Vec<Finding> {
    let host = url.host();
    let mut out = Vec::new();
    let resolves = match &way.proxy {
        Some(_) => Finding::pass(&DNS, format!("{host} is looked up by the proxy")),
        None => Finding::pass(&DNS, format!("{host} resolves")),
    };
    let through = match &way.proxy {
        Some(proxy) => Finding::pass(&PROXY, format!("connections go through the proxy {proxy}")),
        None => Finding::pass(&PROXY, "no proxy is in use (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY)"),
    };
    let unreached = match first {
        Ok(probe) => {
            out.extend([resolves, through, reachable(host, &probe.told, probe.answer.as_ref().err()), tls(url, way)]);
            return out;
        }
        Err(Silence::Over) => Unreached::Timeout,
        Err(Silence::Unreached(unreached)) => *unreached,
    };
    let (proxied, port) = (way.proxy.as_deref(), url.rest().port_or_known_default().unwrap_or(443));
    match (unreached, proxied) {
        (Unreached::Proxy, _) | (Unreached::Dns | Unreached::Connect, Some(_)) => {
            let proxy = proxied.unwrap_or("that the environment names");
            let remedy = format!("correct HTTPS_PROXY, or except the host: export NO_PROXY={host}");
            out.push(Finding::fail(&PROXY, format!("the proxy {proxy} does not let the connection to {host} through, or is not there"), remedy));
        }
        (Unreached::Dns, None) => {
            let remedy = format!("check the spelling of --api-url and this machine's name servers: getent hosts {host}");
            out.push(Finding::fail(&DNS, format!("the name {host} does not resolve"), remedy));
        }
        (Unreached::Untrusted, _) => {
            let remedy =
                format!("give the certificate of the authority that issued it: --ca-cert FILE. To see it: openssl s_client -connect {host}:{port} -showcerts");
            let why = if way.private_ca { "neither by this machine nor by --ca-cert" } else { "by this machine" };
            out.extend([resolves, through]);
            let trusted = if way.private_ca { "trusted" } else { "not trusted" };
            out.push(Finding::fail(&TLS, format!("the certificate of {host} is {trusted} {why}"), remedy));
        }
        (Unreached::Tls, _) => {
            out.extend([resolves, through]);
            let remedy = "check the scheme and the port of --api-url, and whether something between here and there ends TLS";
            out.push(Finding::fail(&TLS, format!("{host}:{port} does not speak TLS as it should"), remedy));
        }
        (why, _) => {
            out.extend([resolves, through]);
            let remedy = format!("check --api-url, the network and its firewall: curl -v {}. https://www.githubstatus.com tells of outages", url.rest());
            out.push(Finding::fail(&REACHABLE, format!("{host}:{port} cannot be reached: {why}"), remedy));
        }
    }
    out
}

fn reachable(host: &str, told: &Told, error: Option<&Error>) -> Finding {
    let fail = |message: String, remedy: &str| Finding::fail(&REACHABLE, message, remedy);
    match error {
        Some(Error::OtherHost { host: other }) => {
            fail(format!("{host} points to {other}; the token is not sent there"), "give that address as --api-url if it is your GitHub's")
        }
        Some(Error::Passing { .. }) if told.status >= 500 => {
            fail(format!("{host} answers {}: it has trouble", told.status), "try again later; https://www.githubstatus.com tells of outages")
        }
        _ if !told.github => fail(
            format!("{host} answers {}, but not as a GitHub API does", told.status),
            "give the API's address as --api-url: https://api.github.com, https://HOST/api/v3 for Enterprise Server, https://api.NAME.ghe.com",
        ),
        _ => Finding::pass(&REACHABLE, format!("{host} answers, and is a GitHub API")),
    }
}

fn tls(url: &ApiUrl, way: &Way) -> Finding {
    let here = matches!(url.host(), "localhost" | "127.0.0.1" | "[::1]");
    match (url.rest().scheme(), way.private_ca) {
        ("https", true) => Finding::pass(&TLS, "the server's certificate is trusted, by this machine or by --ca-cert"),
        ("https", false) => Finding::pass(&TLS, "the server's certificate is trusted by this machine"),
        _ if here => Finding::pass(&TLS, "TLS is not needed: the server is on this machine"),
        _ => Finding::warn(&TLS, "the connection is not encrypted: everybody on the way can read the token and the data", "write https:// in --api-url"),
    }
}

/// What the server tells of itself beside any answer.
pub(crate) fn itself(told: &Told, error: Option<&Error>, now: Timestamp) -> Vec<Finding> {
    let clock = match told.sent_at.map(|at| at.duration_since(now)) {
        Some(skew) if skew.abs() > SKEW => {
            let way = if skew.is_negative() { "ahead of" } else { "behind" };
            let message = format!("this machine's clock is {} s {way} GitHub's", skew.abs().as_secs());
            Finding::warn(&CLOCK, message, "set this machine's clock: timedatectl set-ntp true")
        }
        Some(_) => Finding::pass(&CLOCK, "this machine's clock agrees with GitHub's"),
        None => Finding::pass(&CLOCK, "the server does not tell its time"),
    };
    let wanted = github::API_VERSION;
    let refused = matches!(error, Some(Error::Rejected { status: 400, .. } | Error::Gone { .. }));
    let version = match &told.api_version {
        _ if refused => Finding::fail(&API_VERSION, format!("the server does not accept API version {wanted}"), "use a newer sei-github"),
        Some(other) if other != wanted => {
            Finding::warn(&API_VERSION, format!("the server answers in API version {other} when asked for {wanted}"), "use a newer sei-github")
        }
        Some(_) => Finding::pass(&API_VERSION, format!("the server answers in API version {wanted}")),
        None => Finding::pass(&API_VERSION, "the server does not tell API versions apart"),
    };
    vec![clock, version]
}

/// Which GitHub it is, and what it lacks of what is asked for.
pub(crate) async fn version(asker: &Asker<'_>, told: &Told) -> Vec<Finding> {
    let mut installed = told.enterprise_version.clone();
    if installed.is_none() && !asker.client.url().is_cloud() {
        let meta = asker.get("/meta").await.ok().and_then(|probe| probe.answer.ok());
        installed = meta.and_then(|meta| meta.body.get("installed_version")?.as_str().map(str::to_owned));
    }
    let Some(installed) = installed else {
        return vec![Finding::pass(&VERSION, "this is GitHub's own service"), Finding::pass(&SCHEMA, "it knows every type and field that is asked for")];
    };
    vec![Finding::pass(&VERSION, format!("this is Enterprise Server {installed}")), schema(asker, &installed).await]
}

async fn schema(asker: &Asker<'_>, installed: &str) -> Finding {
    let code: &Code = &SCHEMA;
    let unknown = |why: &str| Finding::warn(code, format!("what this server knows could not be found out: {why}"), "run sei-github check again");
    let schema = match asker.graphql(github::INTROSPECTION, &json!({})).await {
        Ok(probe) => match probe.answer {
            Ok(answer) => answer.data,
            Err(error) => return unknown(&error.to_string()),
        },
        Err(silence) => return unknown(&silence.to_string()),
    };
    let mut lacking: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // What is asked for again by node id lacks what its sweep lacks.
    for (of, query) in crate::sweeps::reading().into_iter().filter(|(of, _)| !of.starts_with("asked_")) {
        for what in github::lacks(&schema, &query) {
            lacking.entry(what).or_default().push(of.clone());
        }
    }
    if lacking.is_empty() {
        return Finding::pass(code, "it knows every type and field that is asked for");
    }
    let listed = lacking.iter().map(|(what, of)| format!("{what} (for {})", of.join(", "))).collect::<Vec<_>>().join("; ");
    let remedy = format!(
        "nothing need be done: they are left out of the queries. A newer Enterprise Server than {installed} knows them: https://docs.github.com/en/enterprise-server/admin/upgrading-your-instance"
    );
    Finding::warn(code, format!("Enterprise Server {installed} does not know {listed}"), remedy)
}
