//! What must be true of a world by itself.

use crate::world::{KeyId, Mark, Value, World};

/// A promise that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) String);

/// A key goes only when nobody holds it, unless somebody interfered between the look and the DELETE.
pub(crate) fn may_go(world: &World, key: KeyId, excused: bool) -> Result<(), Broken> {
    let holders = world.holders(key);
    if holders.is_empty() || excused {
        return Ok(());
    }
    Err(Broken(format!(
        "key {key} is deleted, and {} holds it",
        holders.join(", ")
    )))
}

/// One whole pair, current and active, in every sink, and nothing that no sink has seen.
pub(crate) fn in_order(world: &World) -> Result<(), Broken> {
    let broken = |what: &str| Err(Broken(what.to_owned()));
    let repository = &world.repository;
    let Value::Key(current) = repository.variable else {
        return broken("the variable names no key");
    };
    let whole = [repository.id.value, repository.secret.value];
    let app = world.app.map(|app| [app.spec, app.active.names]);
    let sinks = whole.into_iter().chain(app.into_iter().flatten());
    if sinks.into_iter().any(|value| value != Value::Key(current)) {
        return broken("the sinks do not hold one and the same key");
    }
    if !matches!(world.key(current), Some(key) if matches!(key.mark, Mark::Active(_))) {
        return broken("the delivered key is not active");
    }
    // A doubtful one may still wait for the gate.
    if world.keys.iter().any(|key| key.mark == Mark::Pending) {
        return broken("a key that no sink has seen is left");
    }
    Ok(())
}

impl Broken {
    pub(crate) fn at(self, when: &str) -> Self {
        Self(format!("{when}: {}", self.0))
    }
}
