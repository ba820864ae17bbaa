//! The way of all new keys of a run, side by side, and where they meet.

use futures_util::future::join_all;

use super::rotation::{Active, Minted, Order, Setback};
use super::{Writers, delivery};
use crate::model::desired::WantedFamily;

/// Takes every order as far as it comes, all side by side; an app's PUT is shared, so the steps before it meet there.
pub(super) async fn replace<'a>(
    orders: &'a [Order<'a>],
    kept: &[&WantedFamily],
    writers: &Writers<'_>,
) -> Vec<(&'a WantedFamily, Result<Active, Setback>)> {
    await_landmarks(orders, writers).await;
    let announced = join_all(orders.iter().map(|order| async move {
        let outcome = async {
            let minted = Minted::mint(order, writers).await?;
            minted.prove(writers).await?.announce(writers).await
        };
        (order.wanted, outcome.await)
    }));
    let mut outcomes = Vec::new();
    let mut delivering = Vec::new();
    for (wanted, outcome) in announced.await {
        match outcome {
            Ok(key) => delivering.push(key),
            Err(setback) => outcomes.push((wanted, Err(setback))),
        }
    }
    let (ready, refused) = delivery::to_apps(delivering, kept, writers).await;
    outcomes.extend(refused);
    let finished = ready.into_iter().map(|(key, apps)| async move {
        let wanted = key.wanted();
        let active = async { key.deliver(writers, apps).await?.activate(writers).await };
        (wanted, active.await)
    });
    outcomes.extend(join_all(finished).await);
    outcomes
}

/// Where a key is to be announced together with a CDN endpoint that is still being made, that is waited for before any
/// mint: a lease is too short for it, and the families meet in their apps.
async fn await_landmarks(orders: &[Order<'_>], writers: &Writers<'_>) {
    let standing = writers.landmarks.standing();
    let mut wanted = orders.iter().map(|order| order.wanted);
    if wanted.any(|wanted| wanted.variables().any(|variable| standing.awaits(variable))) {
        writers.landmarks.settled().await;
    }
}
