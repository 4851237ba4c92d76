//! How many connections there may be, and from where.

use super::scene::{Guest, Scene, Wire, unmetered};
use crate::hub;
use crate::server::Limits;

fn connect(scene: &mut Scene, ip: &str) -> (Wire, Option<Guest>) {
    let newcomer = scene.connect_from(ip);
    scene.settle();
    newcomer
}

#[test]
fn an_address_has_as_many_connections_as_it_may_and_others_are_not_concerned() {
    let limits = Limits { connections_per_address_max: 2, ..unmetered() };
    let mut scene = Scene::new(limits.clone());
    let (_, ann) = connect(&mut scene, "192.0.2.1");
    let network = ["2001:db8:1:2::1", "2001:db8:1:2::2"].map(|ip| connect(&mut scene, ip).1.is_some());
    assert_eq!(network, [true, true]);
    assert!(connect(&mut scene, "192.0.2.1").1.is_some());
    for ip in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8:1:2:3::4"] {
        let (wire, guest) = connect(&mut scene, ip);
        assert!(guest.is_none(), "{ip}");
        assert_eq!(wire.heard(), "ERROR :too many connections from your address\r\n");
    }
    assert_eq!(scene.engine.counters().refused(crate::server::counters::Refused::PerAddress), 3);
    for ip in ["192.0.2.2", "2001:db8:1:3::1"] {
        assert!(connect(&mut scene, ip).1.is_some(), "{ip}");
    }
    for _ in 0..5 {
        assert!(connect(&mut scene, "127.0.0.1").1.is_some(), "the machine itself is not counted");
    }

    scene.engine.lose(ann.expect("a connection").key, std::io::ErrorKind::ConnectionReset);
    scene.settle();
    assert!(connect(&mut scene, "192.0.2.1").1.is_some(), "one has gone");
    assert!(connect(&mut scene, "192.0.2.1").1.is_none());
    scene
        .engine
        .set_limits(Limits { connections_per_address_max: 3, ..limits.clone() }, hub::Limits::default());
    assert!(connect(&mut scene, "192.0.2.1").1.is_some(), "new limits hold at once");
    scene.engine.set_limits(Limits { connections_per_address_max: 0, ..limits }, hub::Limits::default());
    for _ in 0..5 {
        assert!(connect(&mut scene, "192.0.2.1").1.is_some(), "there is no limit");
    }
}
