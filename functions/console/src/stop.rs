//! Why there is no page, by what to do; and the page that says so.

use crate::layout;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::dead::DeadError;
use engine::{IntegrationError, StoreError};
use maud::html;

#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error("Open the console by the link that the command prints.")]
    Stranger,
    #[error("This form was not sent by one of the console's own pages, or is of an earlier session. Load the page again and repeat the change.")]
    Forged,
    #[error("You may look at everything here, but only an admin may change it.")]
    OnlyAdmins,
    #[error("The form could not be read.")]
    Unreadable,
    #[error("{0}")]
    Absent(String),
    #[error("{0}")]
    Wrong(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<IntegrationError> for Stop {
    fn from(error: IntegrationError) -> Self {
        match error {
            IntegrationError::Store(error) => Self::Store(error),
            error @ IntegrationError::Unknown { .. } => Self::Absent(error.to_string()),
            error => Self::Wrong(error.to_string()),
        }
    }
}

impl From<DeadError> for Stop {
    fn from(error: DeadError) -> Self {
        match error {
            DeadError::Store(error) => Self::Store(error),
            error @ DeadError::Unknown(_) => Self::Wrong(format!("Nothing was done: {error}. Load the page again.")),
        }
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::Stranger => (StatusCode::UNAUTHORIZED, "You are not signed in"),
            Self::Forged => (StatusCode::FORBIDDEN, "Nothing was changed"),
            Self::OnlyAdmins => (StatusCode::FORBIDDEN, "Nothing was changed"),
            Self::Unreadable => (StatusCode::BAD_REQUEST, "Nothing was changed"),
            Self::Absent(_) => (StatusCode::NOT_FOUND, "Nothing is here"),
            Self::Wrong(_) => (StatusCode::UNPROCESSABLE_ENTITY, "That does not work"),
            Self::Store(error) => {
                tracing::error!(%error, "the copy cannot be read or written");
                (StatusCode::SERVICE_UNAVAILABLE, "The copy cannot be reached")
            }
        };
        (status, layout::bare(title, html! { p { (self.to_string()) } })).into_response()
    }
}

pub(crate) async fn nothing() -> Stop {
    Stop::Absent("There is no page at this address.".to_owned())
}
