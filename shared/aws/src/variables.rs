//! A function's environment variables: those that must be there and the GitHub's address, with all mistakes collected.

use github::ApiUrl;

pub(crate) struct Variables<R> {
    read: R,
    pub(crate) wrong: Vec<String>,
}

impl<R: Fn(&str) -> Option<String>> Variables<R> {
    /// `read` looks a variable up.
    pub(crate) fn new(read: R) -> Self {
        Self { read, wrong: Vec::new() }
    }

    /// Empty, and noted, if it is not set.
    pub(crate) fn required(&mut self, name: &str) -> String {
        (self.read)(name).filter(|value| !value.trim().is_empty()).unwrap_or_else(|| {
            self.wrong.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// Separated by commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        split(&(self.read)(name).unwrap_or_default())
    }

    /// GitHub's own service unless told; none, and noted, if it is no address.
    pub(crate) fn api_url(&mut self) -> Option<ApiUrl> {
        let text = (self.read)("SEI_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        ApiUrl::parse(&text).map_err(|error| self.wrong.push(format!("SEI_API_URL: {error}"))).ok()
    }
}

pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
