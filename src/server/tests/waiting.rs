//! Who waits for others' passwords to be looked at.

use super::scene::{Scene, unmetered};
use crate::server::credentials::Outcome;
use std::time::Duration;

const SHORT: Duration = Duration::from_secs(1);

#[test]
fn the_time_to_log_in_stands_still_while_a_password_waits() {
    let limits = unmetered();
    let login_time = limits.login_time;
    let mut scene = Scene::new(limits);
    let (ann, bob) = (scene.connect(), scene.connect());
    for guest in [&ann, &bob] {
        scene.send(guest, "CAP REQ :sasl\r\n");
    }
    scene.pass(login_time - SHORT);
    scene.send(&ann, "AUTHENTICATE PLAIN\r\nAUTHENTICATE AGFubgBzZXNhbWU=\r\n");
    scene.settle();
    scene.engine.next_check().expect("a password");
    scene.pass(3 * login_time);
    assert!(bob.heard().contains("ERROR :"), "bob has had his time");
    let heard = ann.heard();
    assert!(!heard.contains("ERROR :"), "it is not ann who is slow: {heard}");
    scene.engine.checked(Outcome::Wrong);
    scene.settle();
    assert!(ann.heard().starts_with("904 "), "there is no such account");
    scene.pass(SHORT - Duration::from_millis(1));
    assert_eq!(ann.heard(), "", "what she had left, she has");
    scene.pass(Duration::from_millis(1));
    assert!(ann.heard().contains("ERROR :"), "and no more than that");
}
