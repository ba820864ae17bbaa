//! Scripted trouble: what goes wrong, with which request, and when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::Value;

use crate::echo::{Asked, Spelling};
use crate::journal::{Entry, FaceName};
use crate::reply::Reply;
use crate::world::World;

/// One scripted fault: a condition, a moment, and a misbehaviour.
///
/// ```
/// use spacekeeper_sandbox::{FaceName, Fault};
/// // The second secret is stored, but the client never hears of it.
/// let lost = Fault::on(FaceName::GitHub).method("PUT").path_contains("/secrets/").skip(1).after().reset();
/// # let _ = lost;
/// ```
///
/// Faults are tried in the order they were scripted and the first that matches
/// is used up by one; without [`Fault::times`] or [`Fault::forever`] it strikes once.
/// What only lets somebody else do something ([`Fault::before_it`], [`Fault::after_it`])
/// stands in no other fault's way.
#[derive(Debug, Clone)]
pub struct Fault {
    face: Option<FaceName>,
    method: Option<String>,
    path: Option<String>,
    number: Option<u64>,
    skip: u32,
    /// How often it still strikes; `None` for ever.
    left: Option<u32>,
    moment: Moment,
    delay: Duration,
    hold: bool,
    before: Option<Deed>,
    after: Option<Deed>,
    /// Whether the request is answered as if it had taken effect, and has none.
    feigned: bool,
    forgery: Option<Forgery>,
}

/// What somebody else does at the moment of a request.
#[derive(Clone)]
struct Deed(Arc<dyn Fn(&mut World) + Send + Sync>);

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deed")
    }
}

/// Whether the world is touched when a fault replaces the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// What the client gets instead of the true reply.
#[derive(Debug, Clone)]
enum Forgery {
    Status(StatusCode, Box<HeaderMap>, Bytes),
    Reset,
    Garbage,
    WrongContentType,
    Echo(StatusCode, Spelling, usize),
    Edited(fn(&Entry, &mut Value)),
    Flood(usize),
}

/// The length of a body, in bytes, that is sent in place of the reply's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flood(pub(crate) usize);

impl Fault {
    /// Strikes requests to one face.
    #[must_use]
    pub fn on(face: FaceName) -> Self {
        Self {
            face: Some(face),
            ..Self::any()
        }
    }

    /// Strikes requests to any face.
    #[must_use]
    pub fn any() -> Self {
        Self {
            face: None,
            method: None,
            path: None,
            number: None,
            skip: 0,
            left: Some(1),
            moment: Moment::Before,
            delay: Duration::ZERO,
            hold: false,
            before: None,
            after: None,
            feigned: false,
            forgery: None,
        }
    }

    /// Strikes the request with this [`Entry::number`]: the n-th of all faces
    /// since the start, counted from 1.
    #[must_use]
    pub fn nth(number: u64) -> Self {
        Self {
            number: Some(number),
            ..Self::any()
        }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path and query contain this.
    #[must_use]
    pub fn path_contains(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Lets the first `n` matching requests pass.
    #[must_use]
    pub fn skip(mut self, n: u32) -> Self {
        self.skip = n;
        self
    }

    /// Strikes `n` times.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.left = Some(n);
        self
    }

    /// Strikes every matching request.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.left = None;
        self
    }

    /// Strikes before the request takes effect. The default.
    #[must_use]
    pub fn before(mut self) -> Self {
        self.moment = Moment::Before;
        self
    }

    /// Strikes after the request took effect.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.moment = Moment::After;
        self
    }

    /// Answers with this status and, unless [`Fault::body`] is given, no body.
    ///
    /// # Panics
    /// If HTTP has no such status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status between 100 and 999");
        self.forgery = Some(Forgery::Status(status, Box::default(), Bytes::new()));
        self
    }

    /// Adds a header to the answer that [`Fault::status`] began.
    ///
    /// # Panics
    /// If HTTP cannot carry the name or the value.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(Forgery::Status(_, headers, _)) = &mut self.forgery {
            let name: HeaderName = name.parse().expect("a header name");
            headers.insert(name, value.parse().expect("a header value"));
        }
        self
    }

    /// Gives the answer that [`Fault::status`] began a body.
    #[must_use]
    pub fn body(mut self, text: &str) -> Self {
        if let Some(Forgery::Status(_, _, body)) = &mut self.forgery {
            *body = Bytes::copy_from_slice(text.as_bytes());
        }
        self
    }

    /// Answers like a gateway in distress: this status and a page of HTML.
    #[must_use]
    pub fn html(self, status: u16) -> Self {
        self.status(status)
            .header("content-type", "text/html")
            .body("<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>")
    }

    /// Answers like a gateway that quotes what passes through it: an error of this status in the form of the face, each
    /// field of which holds the true reply, the credential and the body of the request.
    ///
    /// # Panics
    /// If HTTP has no such status.
    #[must_use]
    pub fn echo(mut self, status: u16, spelling: Spelling) -> Self {
        let status = StatusCode::from_u16(status).expect("a status between 100 and 999");
        self.forgery = Some(Forgery::Echo(status, spelling, 0));
        self
    }

    /// Puts so many characters before what [`Fault::echo`] quotes, so that a cut falls elsewhere.
    #[must_use]
    pub fn behind(mut self, characters: usize) -> Self {
        if let Some(Forgery::Echo(_, _, behind)) = &mut self.forgery {
            *behind = characters;
        }
        self
    }

    /// Closes the connection without an answer.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.forgery = Some(Forgery::Reset);
        self
    }

    /// Sends the status and headers of the true reply but only the first half
    /// of its body, as if complete.
    #[must_use]
    pub fn garbage(mut self) -> Self {
        self.forgery = Some(Forgery::Garbage);
        self
    }

    /// Sends the true reply labelled `text/html`.
    #[must_use]
    pub fn wrong_content_type(mut self) -> Self {
        self.forgery = Some(Forgery::WrongContentType);
        self
    }

    /// Answers 200 with this JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.status(200)
            .header("content-type", "application/json")
            .body(&body.to_string())
    }

    /// Sends the true reply, its JSON changed by this: what a server may leave
    /// out, count wrongly or announce without end. A reply that is not JSON stays.
    #[must_use]
    pub fn edits(mut self, edit: fn(&Entry, &mut Value)) -> Self {
        self.forgery = Some(Forgery::Edited(edit));
        self.after()
    }

    /// Answers as if the request had taken effect, with the very reply that a success has, and changes nothing.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        self.feigned = true;
        self
    }

    /// Answers with this status and this text, which is labelled as JSON where it is JSON, and changes nothing.
    #[must_use]
    pub fn ineffective(self, status: u16, body: &str) -> Self {
        let kind = serde_json::from_str::<Value>(body).map_or("text/html", |_| "application/json");
        let answer = self.before().status(status);
        if body.is_empty() {
            return answer;
        }
        answer.header("content-type", kind).body(body)
    }

    /// Answers 200 with a body of this many bytes, all blanks, whose length is not
    /// announced.
    #[must_use]
    pub fn flood(mut self, bytes: usize) -> Self {
        self.forgery = Some(Forgery::Flood(bytes));
        self
    }

    /// Waits this long, in real time, at the chosen moment.
    #[must_use]
    pub fn delay(mut self, by: Duration) -> Self {
        self.delay = by;
        self
    }

    /// Lets somebody else do this just before the request takes effect.
    #[must_use]
    pub fn before_it(mut self, deed: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        self.before = Some(Deed(Arc::new(deed)));
        self
    }

    /// Lets somebody else do this when the request has taken effect, and before its client learns of it.
    #[must_use]
    pub fn after_it(mut self, deed: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        self.after = Some(Deed(Arc::new(deed)));
        self
    }

    /// Keeps the request at the chosen moment until [`crate::Sandbox::release`].
    /// It is then carried on even if its client has gone: a request that lands late.
    #[must_use]
    pub fn hold(mut self) -> Self {
        self.hold = true;
        self
    }

    fn matches(&self, entry: &Entry) -> bool {
        self.face.is_none_or(|face| face == entry.face)
            && self.number.is_none_or(|number| number == entry.number)
            && self.method.as_deref().is_none_or(|m| m == entry.method)
            && self.path.as_deref().is_none_or(|p| entry.path.contains(p))
    }

    pub(crate) fn moment(&self) -> Moment {
        self.moment
    }

    pub(crate) fn delayed_by(&self) -> Duration {
        self.delay
    }

    pub(crate) fn holds(&self) -> bool {
        self.hold
    }

    /// Whether nothing befalls the request itself.
    fn is_mere_deed(&self) -> bool {
        let deed = self.before.is_some() || self.after.is_some();
        deed && self.forgery.is_none() && !self.hold && !self.feigned && self.delay.is_zero()
    }

    /// Does what somebody else does before the request takes effect.
    pub(crate) fn precede(&self, world: &mut World) {
        self.before.iter().for_each(|Deed(deed)| deed(world));
    }

    /// Does what somebody else does when the request has taken effect.
    pub(crate) fn follow(&self, world: &mut World) {
        self.after.iter().for_each(|Deed(deed)| deed(world));
    }

    /// Whether the request must be carried out on a copy of the world.
    pub(crate) fn feigns(&self) -> bool {
        self.feigned
    }

    /// Whether the request must not reach its face.
    pub(crate) fn prevents(&self) -> bool {
        self.moment == Moment::Before && self.forgery.is_some()
    }

    /// What goes over the wire in place of `reply` to this request; `None` resets the connection.
    pub(crate) fn forge(&self, entry: &Entry, asked: &Asked, reply: Reply) -> Option<Reply> {
        match &self.forgery {
            None => Some(reply),
            Some(Forgery::Echo(status, spelling, behind)) => {
                let mut echo = asked.echoed(*status, *spelling, *behind, &reply);
                echo.wrote = reply.wrote;
                Some(echo)
            }
            Some(Forgery::Reset) => None,
            Some(Forgery::Garbage) => Some(halved(reply)),
            Some(Forgery::WrongContentType) => Some(reply.header("content-type", "text/html")),
            Some(Forgery::Edited(edit)) => Some(edited(reply, |body| edit(entry, body))),
            Some(Forgery::Flood(bytes)) => Some(flooding(reply, *bytes)),
            Some(Forgery::Status(status, headers, body)) => {
                let mut forged = Reply::empty(*status);
                *forged.response.headers_mut() = (**headers).clone();
                *forged.response.body_mut() = body.clone();
                forged.wrote = reply.wrote;
                Some(forged)
            }
        }
    }
}

/// What a prevented request would have been answered with, as far as a forgery needs it.
pub(crate) fn unborn(face: FaceName) -> Reply {
    match face {
        FaceName::Spaces => Reply::new(
            StatusCode::OK,
            "application/xml",
            "<?xml version=\"1.0\"?><Result></Result>",
        ),
        FaceName::DigitalOcean | FaceName::GitHub => {
            Reply::new(StatusCode::OK, "application/json", "{\"links\":{}}")
        }
    }
}

fn edited(mut reply: Reply, edit: impl FnOnce(&mut Value)) -> Reply {
    if let Ok(mut body) = serde_json::from_slice(reply.response.body()) {
        edit(&mut body);
        reply.response.headers_mut().remove(header::CONTENT_LENGTH);
        *reply.response.body_mut() = body.to_string().into();
    }
    reply
}

fn flooding(mut reply: Reply, bytes: usize) -> Reply {
    *reply.response.status_mut() = StatusCode::OK;
    reply.response.headers_mut().remove(header::CONTENT_LENGTH);
    reply.response.extensions_mut().insert(Flood(bytes));
    reply
}

fn halved(mut reply: Reply) -> Reply {
    let body = reply.response.body();
    let half = body.slice(..body.len() / 2);
    reply.response.headers_mut().remove(header::CONTENT_LENGTH);
    *reply.response.body_mut() = half;
    reply
}

/// The scripted faults, in order.
#[derive(Debug, Default)]
pub(crate) struct Script {
    faults: Vec<Fault>,
}

impl Script {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// What strikes this request, used up by one.
    pub(crate) fn strike(&mut self, entry: &Entry) -> Struck {
        let matching = |fault: &&mut Fault| fault.left != Some(0) && fault.matches(entry);
        let mut struck = Struck::default();
        for fault in self.faults.iter_mut().filter(matching) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.left = fault.left.map(|left| left - 1);
            if !fault.is_mere_deed() {
                struck.fault = Some(fault.clone());
                break;
            }
            struck.deeds.push(fault.clone());
        }
        struck
    }
}

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    /// What others do beside it; as many as there are.
    pub(crate) deeds: Vec<Fault>,
    /// What befalls the request itself.
    pub(crate) fault: Option<Fault>,
}
