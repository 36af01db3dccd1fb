//! How one is let in: a GitHub App with its installations, and an OAuth app with device codes, web codes and refresh
//! tokens, each good once. What they hand out is accepted afterwards. Plain data; knows no repository.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>

use crate::world::time;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Changeable while the simulation runs.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    pub app: Option<AppDoor>,
    pub oauth: OAuthDoor,
}

#[derive(Debug, Clone)]
pub struct AppDoor {
    pub client_id: String,
    pub app_id: u64,
    pub key: Arc<KeyPair>,
    /// Number and organization; whether it is suspended.
    pub installations: Vec<(u64, String, bool)>,
    /// Tokens made so far.
    pub made: u64,
}

/// What an OAuth app was told, and what people did about it.
#[derive(Debug, Clone)]
pub struct OAuthDoor {
    pub client_id: String,
    pub client_secret: String,
    pub device_flow: bool,
    /// Seconds between two questions about a device code.
    pub interval: i64,
    /// Seconds that tokens last; none for ever, and then there is no refresh token.
    pub lasts: Option<i64>,
    /// Tells to slow down at the n-th question, counted from 1.
    pub slow_down_at: Option<u64>,
    /// What the person in front of GitHub's page does.
    pub person: Person,
    /// Every pair handed out, oldest first.
    pub pairs: Vec<(String, String)>,
    /// Questions with a refresh token.
    pub refreshes: u64,
    codes: HashMap<String, Code>,
    used: HashSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Enters the code before the n-th question.
    EntersBefore(u64),
    Declines,
    Sleeps,
}

#[derive(Debug, Clone)]
struct Code {
    made: i64,
    asked: u64,
    last: i64,
    interval: i64,
    /// Of a web code: where it was sent, and what PKCE's verifier hashes to.
    web: Option<(String, String)>,
}

impl Default for OAuthDoor {
    fn default() -> Self {
        Self {
            client_id: "Iv1.0123456789abcdef".to_owned(),
            client_secret: "canary-client-secret".to_owned(),
            device_flow: true,
            interval: 5,
            lasts: Some(8 * 3600),
            slow_down_at: None,
            person: Person::EntersBefore(2),
            pairs: Vec::new(),
            refreshes: 0,
            codes: HashMap::new(),
            used: HashSet::new(),
        }
    }
}

/// An answer, and a token that is accepted from now on until then.
pub(crate) type Told = (u16, Value);
/// GitHub's name of an error, and the interval that is told with it.
type Mistake = (&'static str, Option<i64>);

fn refuse(message: &str) -> Told {
    (401, json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": "401" }))
}

impl AppDoor {
    /// What is wrong with a JWT.
    fn verify(&self, jwt: &str, now: i64) -> Result<(), &'static str> {
        const UNREADABLE: &str = "A JSON web token could not be decoded";
        let (signed, signature) = jwt.rsplit_once('.').ok_or(UNREADABLE)?;
        let (head, claims) = signed.split_once('.').ok_or(UNREADABLE)?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| UNREADABLE);
        let json = |text: &str| serde_json::from_slice::<Value>(&bytes(text)?).map_err(|_| UNREADABLE);
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_key().as_ref());
        if json(head)?.get("alg") != Some(&json!("RS256")) || public.verify(signed.as_bytes(), &bytes(signature)?).is_err() {
            return Err(UNREADABLE);
        }
        let claims = json(claims)?;
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let issuer = claims.get("iss").map(|iss| iss.as_str().map_or_else(|| iss.to_string(), str::to_owned)).unwrap_or_default();
        if issuer != self.client_id && issuer != self.app_id.to_string() {
            return Err("Integration not found");
        }
        match (number("iat"), number("exp")) {
            (Some(iat), _) if iat > now => Err("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"),
            (_, Some(exp)) if exp <= now => {
                Err("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
            }
            (Some(iat), Some(exp)) if exp - now > 600 || exp - iat > 660 => Err("'Expiration time' claim ('exp') is too far in the future"),
            (Some(_), Some(_)) => Ok(()),
            _ => Err(UNREADABLE),
        }
    }

    /// The routes that an App asks as itself, and the token that came of it, with its organization and end.
    pub(crate) fn answer(&mut self, path: &str, post: bool, jwt: &str, now: i64) -> (Told, Option<(String, String, i64)>) {
        if let Err(why) = self.verify(jwt, now) {
            return (refuse(why), None);
        }
        let absent = ((404, json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404" })), None);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["app"] if !post => ((200, json!({ "id": self.app_id, "slug": "sei-connector", "client_id": self.client_id, "name": "SEI connector" })), None),
            ["app", "installations"] if !post => {
                let one = |(id, account, suspended): &(u64, String, bool)| {
                    json!({ "id": id, "app_id": self.app_id, "account": { "login": account, "type": "Organization" }, "target_type": "Organization",
                        "suspended_at": suspended.then(|| time(now)) })
                };
                ((200, self.installations.iter().map(one).collect()), None)
            }
            ["app", "installations", id, "access_tokens"] if post => match self.installations.iter().find(|(known, ..)| known.to_string() == *id) {
                None => absent,
                Some((_, _, true)) => ((403, json!({ "message": "This installation has been suspended" })), None),
                Some((_, account, false)) => {
                    self.made += 1;
                    let token = format!("ghs_canary{:04}{}", self.made, "x".repeat(24));
                    let told = json!({ "token": token, "expires_at": time(now + 3600), "permissions": { "contents": "read" }, "repository_selection": "all" });
                    ((201, told), Some((token, account.clone(), now + 3600)))
                }
            },
            _ => absent,
        }
    }
}

impl OAuthDoor {
    /// A code of the web flow, as the browser brings it back.
    pub fn web_code(&mut self, redirect_uri: &str, challenge: &str, now: i64) -> String {
        let code = format!("canarycode{:010}", self.codes.len());
        let web = Some((redirect_uri.to_owned(), challenge.to_owned()));
        self.codes.insert(code.clone(), Code { made: now, asked: 0, last: 0, interval: 0, web });
        code
    }

    /// The page on which somebody agrees, or whither they are sent once they did, or did not: status, address and page.
    /// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#1-request-a-users-github-identity>
    pub(crate) fn page(&mut self, query: &str, now: i64) -> (u16, Option<String>, String) {
        let asked: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let html = |body: &str| format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>A simulated GitHub</title><body>{body}");
        if field("client_id") != self.client_id {
            return (404, None, html("<h1>404</h1>"));
        }
        let (redirect, state) = (field("redirect_uri").to_owned(), field("state").to_owned());
        let told = match field("agreed") {
            "yes" => vec![("code", self.web_code(&redirect, field("code_challenge"), now)), ("state", state)],
            "no" => vec![("error", "access_denied".to_owned()), ("state", state)],
            _ => {
                let link = |agreed: &str| {
                    let again = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&asked).append_pair("agreed", agreed).finish();
                    format!("/login/oauth/authorize?{}", again.replace('&', "&amp;"))
                };
                let scopes = field("scope").replace(['<', '&'], "");
                let links = format!("<p><a id=\"yes\" href=\"{}\">Authorize</a> <a id=\"no\" href=\"{}\">Cancel</a>", link("yes"), link("no"));
                return (200, None, html(&format!("<h1>Authorize the app?</h1><p>It wants: {scopes}{links}")));
            }
        };
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(told).finish();
        (302, Some(format!("{redirect}?{query}")), String::new())
    }

    /// A pair as if it had been authorized.
    pub fn pair(&mut self) -> (String, String) {
        let number = self.pairs.len() + 1;
        let pair = (format!("ghu_canary{number:04}"), format!("ghr_canary{number:04}"));
        self.pairs.push(pair.clone());
        pair
    }

    /// The routes below /login, the token that came of it, and the one that is good no more.
    pub(crate) fn answer(&mut self, path: &str, form: &HashMap<String, String>, now: i64) -> (Told, Option<String>, Option<String>) {
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let error =
            |code: &str| ((200, json!({ "error": code, "error_description": "See the documentation.", "error_uri": "https://docs.github.com" })), None, None);
        if field("client_id") != self.client_id {
            return ((404, json!({ "error": "Not Found" })), None, None);
        }
        if path == "/login/device/code" {
            if !self.device_flow {
                return error("device_flow_disabled");
            }
            let code = format!("canarydevice{:028}", self.codes.len());
            self.codes.insert(code.clone(), Code { made: now, asked: 0, last: now, interval: self.interval, web: None });
            let told = json!({ "device_code": code, "user_code": "WDJB-MJHT", "verification_uri": "https://github.com/login/device",
                "expires_in": 900, "interval": self.interval });
            return ((200, told), None, None);
        }
        match field("grant_type") {
            "refresh_token" => {
                self.refreshes += 1;
                let refresh = field("refresh_token");
                let Some((token, _)) = self.pairs.iter().find(|(_, known)| known == refresh && !self.used.contains(refresh)).cloned() else {
                    return error("bad_refresh_token");
                };
                self.used.insert(refresh.to_owned());
                let (told, new) = self.grant();
                (told, new, Some(token))
            }
            "urn:ietf:params:oauth:grant-type:device_code" => match self.device(field("device_code"), now) {
                Ok((told, new)) => (told, new, None),
                Err((code, interval)) => {
                    let (mut told, ..) = error(code);
                    if let (Some(interval), Some(fields)) = (interval, told.1.as_object_mut()) {
                        fields.insert("interval".to_owned(), json!(interval));
                    }
                    (told, None, None)
                }
            },
            _ => {
                if field("client_secret") != self.client_secret {
                    return error("incorrect_client_credentials");
                }
                let code = field("code");
                let good = self.codes.get(code).filter(|known| now - known.made < 600 && !self.used.contains(code)).and_then(|known| known.web.clone());
                let Some((redirect, challenge)) = good else { return error("bad_verification_code") };
                self.used.insert(code.to_owned());
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, field("code_verifier").as_bytes());
                if URL_SAFE_NO_PAD.encode(hash) != challenge {
                    return error("bad_verification_code");
                }
                if redirect != field("redirect_uri") {
                    return error("redirect_uri_mismatch");
                }
                let (told, new) = self.grant();
                (told, new, None)
            }
        }
    }

    fn device(&mut self, device_code: &str, now: i64) -> Result<(Told, Option<String>), Mistake> {
        let known = self.codes.get_mut(device_code).filter(|code| code.web.is_none() && !self.used.contains(device_code));
        let Some(code) = known else { return Err(("incorrect_device_code", None)) };
        code.asked += 1;
        let (asked, early) = (code.asked, now - code.last < code.interval);
        code.last = now;
        if now - code.made >= 900 {
            return Err(("expired_token", None));
        }
        if early || self.slow_down_at == Some(asked) {
            code.interval += 5;
            return Err(("slow_down", Some(code.interval)));
        }
        match self.person {
            Person::Declines => Err(("access_denied", None)),
            Person::EntersBefore(question) if asked >= question => {
                self.used.insert(device_code.to_owned());
                Ok(self.grant())
            }
            _ => Err(("authorization_pending", None)),
        }
    }

    fn grant(&mut self) -> (Told, Option<String>) {
        let (token, refresh) = self.pair();
        let mut told = json!({ "access_token": token, "token_type": "bearer", "scope": "" });
        if let (Some(lasts), Some(fields)) = (self.lasts, told.as_object_mut()) {
            fields.extend([
                ("expires_in".to_owned(), json!(lasts)),
                ("refresh_token".to_owned(), json!(refresh)),
                ("refresh_token_expires_in".to_owned(), json!(15_897_600)),
            ]);
        }
        ((200, told), Some(token))
    }
}
