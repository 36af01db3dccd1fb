//! Who is asking, what they may, and the check that every change passes. How they were let in, `local` and the
//! function know.

use crate::stop::Stop;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;

/// So large a form may be: a private key is a few KB, a list of chosen repositories some hundred.
const LARGEST: usize = 4 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything but secrets, which nobody does.
    Viewer,
    /// Changes things, too.
    Admin,
}

impl Role {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Who {
    pub name: String,
    pub role: Role,
    /// What a form must bring back; none where a request carries a token of its own, which no other page can send.
    pub csrf: Option<String>,
    /// Where their browser reaches the console, such as `http://127.0.0.1:8788`.
    pub here: String,
    /// Where a form signs them out; none where a session ends with the program.
    pub signs_out: Option<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Stop;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Stop> {
        // A door that forgot to say who is there opens to nobody.
        parts.extensions.get::<Self>().cloned().ok_or(Stop::Stranger)
    }
}

/// The fields of a form that changes something. Only an admin's, from one of our own pages, becomes one: a handler that
/// takes it need not check.
pub(crate) struct Change {
    pub(crate) who: Who,
    fields: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequest<S> for Change {
    type Rejection = Stop;

    async fn from_request(request: Request, state: &S) -> Result<Self, Stop> {
        let (mut parts, body) = request.into_parts();
        let who = Who::from_request_parts(&mut parts, state).await?;
        let body: Bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|_| Stop::Unreadable)?;
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        let change = Self { who, fields };
        if let Some(csrf) = &change.who.csrf
            && verify_slices_are_equal(csrf.as_bytes(), change.field("csrf").as_bytes()).is_err()
        {
            return Err(Stop::Forged);
        }
        if change.who.role < Role::Admin {
            return Err(Stop::OnlyAdmins);
        }
        Ok(change)
    }
}

impl Change {
    /// Empty if it is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim()).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.field(name).is_empty()
    }

    /// Every value of it that is not empty.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let values = self.fields.iter().filter(|(field, value)| field == name && !value.trim().is_empty());
        values.map(|(_, value)| value.trim().to_owned()).collect()
    }
}
