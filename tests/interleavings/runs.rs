//! The runs of a story, and what becomes of them under way.

use std::fmt::Write as _;

use crate::fixture::under_way::{hold, kill_at, last_request, until_answered, until_held_or_over};
use crate::fixture::{Fault, Run};

use super::{LEASE, Story, TICK};

impl Story {
    pub(super) fn run(&mut self) {
        let what = self.ask();
        let id = self.next(what);
        let exit = self.command(what, id).go().exit;
        assert!(matches!(exit, Some(0 | 1)), "{exit:?} {}", self.told);
        let _ = write!(self.told, " (exit {exit:?})");
        self.over(id, true);
    }

    pub(super) fn crash(&mut self) {
        let (what, request, after) = (self.ask(), 1 + self.dice.roll(34), self.dice.roll(2) == 1);
        let known = self.dice.roll(2) == 1;
        let id = self.next(&format!(
            "{what}, killed at request {request}, after its effect: {after}, known: {known}"
        ));
        kill_at(&self.sandbox, |_| self.command(what, id), request, after);
        self.over(id, known);
    }

    pub(super) fn race(&mut self) {
        let (one, other) = (self.ask(), self.ask());
        let (first, second) = (self.next(one), self.next(&format!("{other} at the same time")));
        let running = [
            self.command(one, first).start(),
            self.command(other, second).start(),
        ];
        let exits = running.map(|run| run.finish().exit);
        assert!(
            exits.iter().all(|exit| matches!(exit, Some(0 | 1))),
            "{exits:?} {}",
            self.told
        );
        self.over(first, true);
        self.over(second, true);
    }

    /// A run is killed while its request is on the way, the next one goes, and then the request lands.
    pub(super) fn land_late(&mut self) {
        let (what, request, known) = (self.ask(), 1 + self.dice.roll(34), self.dice.roll(2) == 1);
        let id = self.next(&format!(
            "{what}, killed while request {request} is on its way, known: {known}"
        ));
        hold(&self.sandbox, request);
        let mut run = self.command(what, id).start();
        let sent = until_held_or_over(&self.sandbox, &mut run);
        run.kill();
        self.sandbox.clear_faults();
        self.over(id, known);
        if !known {
            self.sandbox.advance(LEASE);
        }
        self.run();
        if let Some(sent) = sent {
            self.sandbox.advance(TICK);
            self.sandbox.release();
            until_answered(&self.sandbox, sent);
            let _ = write!(self.told, "\n- request {sent} lands");
        }
    }

    /// The workflow run is cancelled while a request is on its way.
    pub(super) fn cancel(&mut self) {
        let (what, request) = (self.ask(), 1 + self.dice.roll(34));
        let id = self.next(&format!("{what}, cancelled at request {request}"));
        hold(&self.sandbox, request);
        let mut run = self.command(what, id).start();
        if until_held_or_over(&self.sandbox, &mut run).is_some() {
            run.terminate();
            self.sandbox.release();
        }
        let exit = run.finish().exit;
        assert!(matches!(exit, Some(0 | 1 | 130 | 143)), "{exit:?} {}", self.told);
        let _ = write!(self.told, " (exit {exit:?})");
        self.sandbox.clear_faults();
        self.over(id, true);
    }

    /// One request of a run goes wrong.
    pub(super) fn stumble(&mut self) {
        let request = 1 + self.dice.roll(34);
        let fault = Fault::nth(last_request(&self.sandbox) + request);
        let (how, fault) = match self.dice.roll(4) {
            0 => ("is refused", fault.status(503)),
            1 => ("is lost", fault.reset()),
            2 => ("loses its reply", fault.after().reset()),
            _ => ("gets half a reply", fault.after().garbage()),
        };
        let _ = write!(self.told, "\n- request {request} of the next run {how}");
        self.sandbox.script(fault);
        self.run();
        self.sandbox.clear_faults();
    }

    pub(super) fn revoke(&mut self) {
        let id = self.next("revoke");
        let run = Run::revoke(&self.sandbox).input("app-platform-app", "shop");
        let outcome = run.input("lock-timeout", "3s").run_id(id).go();
        let exit = outcome.exit;
        assert!(matches!(exit, Some(0 | 1)), "{exit:?} {}", self.told);
        let _ = write!(self.told, " (exit {exit:?})");
        self.over(id, true);
    }
}
