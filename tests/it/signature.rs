//! Signatures of webhooks, against the example of GitHub's documentation.
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation>

use engine::signature::{Secrets, header};
use github::Secret;

const SECRET: &str = "It's a Secret to Everybody";
const BODY: &[u8] = b"Hello, World!";
const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[test]
fn githubs_own_example_is_signed() {
    let secret = Secret::new(SECRET);
    let secrets = Secrets::new([&secret]);
    assert!(secrets.signed(BODY, SIGNED));
    assert_eq!(header(&secret, BODY), SIGNED);
    assert!(!secrets.signed(b"Hello, World.", SIGNED));
}

#[test]
fn two_secrets_are_good_while_one_replaces_the_other_and_none_is_never_good() {
    let (new, old) = (Secret::new("new"), Secret::new(SECRET));
    assert!(Secrets::new([&new, &old]).signed(BODY, SIGNED));
    assert!(!Secrets::new([&new]).signed(BODY, SIGNED));
    let none = Secrets::new([&Secret::new("")]);
    assert!(none.is_empty() && !none.signed(b"", &header(&Secret::new(""), b"")));
}

#[test]
fn what_is_no_signature_is_not_one() {
    let secrets = Secrets::new([&Secret::new(SECRET)]);
    let long = format!("{SIGNED}00");
    for header in ["", "sha256=", "sha1=757107ea", "757107ea", &SIGNED.replace('7', "g"), &long, &SIGNED[..70], "sha256=äöü"] {
        assert!(!secrets.signed(BODY, header), "{header}");
    }
}
