//! How long a bill takes to pay: what each token may spend now and each hour, less the owner's reserve.
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>

use super::shape::Bill;
use crate::Env;
use github::{Budget, Resource};
use jiff::SignedDuration;
use serde::Serialize;

/// Requests and points an hour of a user's token, where GitHub was not reached to ask.
const USUAL_LIMIT: u32 = 5_000;
/// Seconds that an answer usually takes, and how many are waited for at once.
const SECONDS_A_QUERY: f64 = 1.5;
const SECONDS_A_REQUEST: f64 = 0.3;
const IN_FLIGHT: f64 = 10.0;
/// Secondary limits, a minute.
const REQUESTS_A_MINUTE: f64 = 900.0;
const POINTS_A_MINUTE: f64 = 2_000.0;

pub(crate) const ASSUMPTIONS: &[&str] =
    &["an answer takes 1.5 s over GraphQL and 0.3 s over REST, ten are under way at once; the secondary limits are 900 requests and 2,000 points a minute"];

/// What one token may spend. No limits at all, on a server that has none.
#[derive(Debug, Clone, Serialize)]
pub struct TokenBudget {
    /// Stands for the token; nothing leads back.
    pub token: String,
    pub rest: Option<Window>,
    pub graphql: Option<Window>,
    /// With this token alone.
    pub hours: f64,
}

/// One resource of one token, in requests or points.
#[derive(Debug, Clone, Serialize)]
pub struct Window {
    pub limit: u32,
    pub remaining: u32,
    /// Each hour, less the reserve.
    pub hourly: u32,
    /// Now, less the reserve.
    pub now: u32,
    pub resets_in_minutes: f64,
}

impl Window {
    fn new(budget: &Budget, reserve_percent: u32) -> Self {
        let Budget { limit, remaining, reset_in, .. } = *budget;
        let reserve = (u64::from(limit) * u64::from(reserve_percent) / 100) as u32;
        let (hourly, now) = (limit.saturating_sub(reserve), remaining.saturating_sub(reserve));
        Self { limit, remaining, hourly, now, resets_in_minutes: (reset_in.as_secs_f64() / 60.0).max(0.0) }
    }
}

/// Asks for the budgets of every token, which costs nothing.
pub(crate) async fn tokens(env: &Env, bill: &Bill) -> Vec<TokenBudget> {
    let mut all = Vec::new();
    for (_, client) in env.github.clients(env.now()).await {
        let usual = |resource| Budget { resource, limit: USUAL_LIMIT, remaining: USUAL_LIMIT, reset_in: SignedDuration::from_hours(1) };
        let budgets = client.budgets().await.unwrap_or_else(|_| vec![usual(Resource::Core), usual(Resource::Graphql)]);
        let window = |of: Resource| budgets.iter().find(|budget| budget.resource == of).map(|budget| Window::new(budget, env.settings.reserve_percent));
        let mut token = TokenBudget { token: client.token().fingerprint(), rest: window(Resource::Core), graphql: window(Resource::Graphql), hours: 0.0 };
        token.hours = hours(std::slice::from_ref(&token), bill);
        all.push(token);
    }
    all
}

/// Until the whole bill is paid by these tokens together.
pub(crate) fn hours(tokens: &[TokenBudget], bill: &Bill) -> f64 {
    let rest = waiting(tokens.iter().filter_map(|token| token.rest.as_ref()), bill.rest);
    let points = waiting(tokens.iter().filter_map(|token| token.graphql.as_ref()), bill.points);
    let reading = (bill.graphql * SECONDS_A_QUERY + bill.rest * SECONDS_A_REQUEST) / IN_FLIGHT / 3600.0;
    let pool = tokens.len().max(1) as f64;
    let at_most = (bill.rest / REQUESTS_A_MINUTE).max(bill.points / POINTS_A_MINUTE) / pool / 60.0;
    rest.max(points) + reading.max(at_most)
}

/// Hours until the last of `need` may be spent: what is left now, then a whole budget after each reset.
fn waiting<'a>(windows: impl Iterator<Item = &'a Window>, need: f64) -> f64 {
    let (mut now, mut hourly, mut reset) = (0.0, 0.0, 0.0_f64);
    for window in windows {
        now += f64::from(window.now);
        hourly += f64::from(window.hourly);
        reset = reset.max(window.resets_in_minutes / 60.0);
    }
    if need <= now || hourly == 0.0 { 0.0 } else { reset + ((need - now) / hourly).ceil() - 1.0 }
}
