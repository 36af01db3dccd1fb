//! What a token looks like, and which scopes include which. GitHub's answers have the last word on both.
//! <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>

/// The kind that a token's form speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A personal access token (classic), `ghp_`.
    Classic,
    /// A fine-grained personal access token, `github_pat_`.
    FineGrained,
    /// Of an OAuth app, `gho_`.
    OAuth,
    /// Of a person, by a GitHub App, `ghu_`.
    AppUser,
    /// Of a GitHub App's installation, `ghs_`.
    Installation,
    /// `ghr_`: only makes new tokens.
    Refresh,
    /// 40 hexadecimal digits, as every token was until 2021; an older Enterprise Server still makes them.
    Older,
    /// A GitHub App's own signed word: only makes tokens of installations.
    Jwt,
    Unknown,
}

impl TokenKind {
    pub(crate) fn of(token: &str) -> Self {
        let prefixes = [
            ("ghp_", Self::Classic),
            ("github_pat_", Self::FineGrained),
            ("gho_", Self::OAuth),
            ("ghu_", Self::AppUser),
            ("ghs_", Self::Installation),
            ("ghr_", Self::Refresh),
        ];
        if let Some((_, kind)) = prefixes.iter().find(|(prefix, _)| token.starts_with(prefix)) {
            return *kind;
        }
        if token.len() == 40 && token.chars().all(|letter| letter.is_ascii_hexdigit()) {
            return Self::Older;
        }
        if token.starts_with("eyJ") && token.split('.').count() == 3 { Self::Jwt } else { Self::Unknown }
    }
}

impl std::fmt::Display for TokenKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Classic => "a personal access token (classic)",
            Self::FineGrained => "a fine-grained personal access token",
            Self::OAuth => "a token of an OAuth app",
            Self::AppUser => "a token of a person by a GitHub App",
            Self::Installation => "a token of a GitHub App's installation",
            Self::Refresh => "a refresh token",
            Self::Older => "a token of the form used until 2021",
            Self::Jwt => "a GitHub App's JWT",
            Self::Unknown => "a token of a form that GitHub does not describe",
        })
    }
}

/// Scopes that include others; what they include may include more.
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes>
const INCLUDES: &[(&str, &[&str])] = &[
    ("repo", &["public_repo", "repo:status", "repo_deployment", "repo:invite", "security_events"]),
    ("admin:org", &["write:org"]),
    ("write:org", &["read:org"]),
    ("admin:repo_hook", &["write:repo_hook"]),
    ("write:repo_hook", &["read:repo_hook"]),
    ("project", &["read:project"]),
    ("user", &["read:user", "user:email", "user:follow"]),
];

/// Whether a token with the scopes `has` may what `wanted` allows.
#[must_use]
pub fn grants(has: &[String], wanted: &str) -> bool {
    has.iter().any(|scope| scope == wanted) || INCLUDES.iter().any(|(wider, included)| included.contains(&wanted) && grants(has, wider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_scope_grants_the_narrower_ones_and_no_other_way() {
        for (has, wanted, granted) in [
            ("admin:org", "read:org", true),
            ("read:org", "admin:org", false),
            ("project", "read:project", true),
            ("public_repo", "repo", false),
            ("admin:org", "admin:org_hook", false),
            ("repo", "repo", true),
        ] {
            assert_eq!(grants(&[has.to_owned()], wanted), granted, "{has} grants {wanted}");
        }
    }
}
