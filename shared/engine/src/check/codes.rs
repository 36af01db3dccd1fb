//! Every finding that `check` can make, by its code. Codes are stable: programs read them.

/// One thing that is looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    pub name: &'static str,
    /// What passes.
    pub about: &'static str,
    /// What one does not get otherwise.
    pub costs: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $about:literal, $costs:literal;)+) => {
        $(pub(crate) static $name: Code = Code { name: $code, about: $about, costs: $costs };)+
        /// In the order in which they are made.
        pub static CODES: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    DNS = "server.dns", "the server's name resolves", "everything";
    PROXY = "server.proxy", "no proxy is in use, or it lets the connection through", "everything";
    REACHABLE = "server.reachable", "the server answers, and is a GitHub API", "everything";
    TLS = "server.tls", "the server's certificate is trusted, by this machine or by `--ca-cert`", "everything";
    CLOCK = "server.clock", "GitHub's clock and ours differ by a minute at most", "true ages in `status`, and signing in as a GitHub App";
    API_VERSION = "server.api_version", "the server answers in the API version that is asked for", "answers that mean what they should";
    VERSION = "server.version", "which GitHub it is", "nothing";
    SCHEMA = "server.schema", "an Enterprise Server knows every type and field that is asked for", "these fields: they stay empty";
    IN_TIME = "check.complete", "everything could be asked within 15 requests for a token and organization and 30 seconds for all", "certainty";
    VALID = "token.valid", "GitHub accepts the token", "everything this token is for";
    KIND = "token.kind", "the token is of a kind that can be used for long", "copies that go on by themselves";
    EXPIRY = "token.expiry", "the token is good for two weeks or more", "everything, from that day on";
    LEFT_OUT = "token.sso", "no organization is left out for want of single sign-on", "the organizations that are left out, if they are chosen";
    SCOPE_REPO = "scope.repo", "the token has `repo`", "private and internal repositories, with all that is in them";
    SCOPE_READ_ORG = "scope.read_org", "the token has `read:org`", "teams, members who do not show their membership, and proof that one is a member";
    SCOPE_ORG_HOOK = "scope.admin_org_hook", "the token has `admin:org_hook`", "the organization's webhook, and with it the exact times of moves on boards; everything else works without it";
    SCOPE_PROJECT = "scope.read_project", "the token has `read:project`", "boards of Projects and the stages of issues on them";
    ISSUES = "permission.issues", "the token may read issues", "issues, their comments, events and labels";
    PULLS = "permission.pull_requests", "the token may read pull requests", "pull requests, reviews and review comments";
    CONTENTS = "permission.contents", "the token may read contents", "commits, commit files, branches, tags and releases";
    DEPLOYMENTS = "permission.deployments", "the token may read deployments", "deployments";
    ACTIONS = "permission.actions", "the token may read actions", "workflow runs";
    MEMBERS = "permission.members", "the token may read the organization's members", "teams, and proof that one is a member";
    SSO = "org.sso", "the token is authorized for the organization's SAML single sign-on, if it has one", "the organization";
    IP_ALLOW_LIST = "org.ip_allow_list", "the organization's IP allow list, if it has one, has this machine's address", "the organization";
    APP_RESTRICTIONS = "org.app_restrictions", "the organization has approved the token's OAuth app, if it restricts them", "the organization";
    TOKEN_POLICY = "org.token_policy", "the organization lets in tokens of this kind and lifetime", "the organization";
    MEMBERSHIP = "org.membership", "the token's owner is a member of the organization", "the organization: only those of which one is a direct member are copied";
    REPOSITORIES = "org.repositories", "the token sees repositories, among them chosen ones", "the repositories that are not seen";
    BUDGET_CORE = "budget.core", "more than the reserve is left of the REST budget", "time: a sync waits for the next hour";
    BUDGET_GRAPHQL = "budget.graphql", "more than the reserve is left of the GraphQL budget", "time: a sync waits for the next hour";
}
