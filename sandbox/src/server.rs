//! The plumbing under every face: connections, buffering, journal, faults.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::clock::http_date;
use crate::echo::Asked;
use crate::fault::{Fault, Flood, Moment, Script, Struck, unborn};
use crate::hold::Holds;
use crate::journal::{Entry, FaceName, Journal};
use crate::outgoing::Outgoing;
use crate::reply::Reply;
use crate::world::World;
use crate::{digitalocean, github, spaces};

/// Larger bodies are cut off with the connection; no call of ours comes near.
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) journal: Mutex<Journal>,
    pub(crate) script: Mutex<Script>,
    pub(crate) holds: Holds,
    connections: AtomicU64,
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection was cut")
    }
}

impl std::error::Error for Cut {}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: Arc::new(Mutex::new(world)),
            journal: Mutex::default(),
            script: Mutex::default(),
            holds: Holds::default(),
            connections: AtomicU64::new(0),
        }
    }

    /// The number of one more connection.
    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Answers one request of any connection.
    pub(crate) async fn exchange(
        self: Arc<Self>,
        face: FaceName,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Cut> {
        let request = buffered(request).await?;
        // A task of its own: a client that hangs up does not undo what it asked for.
        let carried_out = tokio::spawn(self.carry_out(face, connection, request));
        let mut response = carried_out.await.ok().flatten().ok_or(Cut)?;
        let flood = response.extensions_mut().remove::<Flood>();
        Ok(response.map(|body| match flood {
            Some(Flood(bytes)) => Outgoing::Flood(bytes),
            None => Outgoing::Whole(Some(body)),
        }))
    }

    async fn carry_out(
        self: Arc<Self>,
        face: FaceName,
        connection: u64,
        request: Request<Bytes>,
    ) -> Option<Response<Bytes>> {
        let entry = self.note(face, connection, &request);
        let (before, after) = lock(&self.world).switches.waits(entry.number);
        pause(before).await;
        let Struck { deeds, fault } = lock(&self.script).strike(&entry);
        for deed in &deeds {
            deed.precede(&mut lock(&self.world));
        }
        let (response, wrote) = match fault {
            None => sent(self.ask(face, request).await),
            Some(fault) => self.suffer(&fault, &entry, request).await,
        };
        for deed in &deeds {
            deed.follow(&mut lock(&self.world));
        }
        let status = response.as_ref().map(|response| response.status().as_u16());
        pause(after).await;
        lock(&self.journal).close(entry.number, status, wrote);
        response.map(|response| self.dated(face, response))
    }

    fn note(&self, face: FaceName, connection: u64, request: &Request<Bytes>) -> Entry {
        let at = lock(&self.world).clock.now();
        lock(&self.journal).open(Entry {
            number: 0,
            at,
            arrived: Instant::now(),
            face,
            method: request.method().to_string(),
            host: host(request),
            path: path(request),
            status: None,
            took: None,
            wrote: false,
            connection,
            headers: request.headers().clone(),
            body_len: request.body().len(),
        })
    }

    /// The request with a fault in its way: what is sent, and whether the world changed.
    async fn suffer(
        &self,
        fault: &Fault,
        entry: &Entry,
        request: Request<Bytes>,
    ) -> (Option<Response<Bytes>>, bool) {
        if fault.moment() == Moment::Before && !self.wait(fault, entry).await {
            return (None, false);
        }
        let asked = Asked::of(entry.face, &request);
        fault.precede(&mut lock(&self.world));
        let reply = if fault.prevents() {
            unborn(entry.face)
        } else if fault.feigns() {
            self.feign(entry.face, request).await
        } else {
            self.ask(entry.face, request).await
        };
        fault.follow(&mut lock(&self.world));
        let wrote = reply.wrote;
        if fault.moment() == Moment::After && !self.wait(fault, entry).await {
            return (None, wrote);
        }
        (
            fault.forge(entry, &asked, reply).map(|reply| reply.response),
            wrote,
        )
    }

    /// `false` if the request was held and then dropped.
    async fn wait(&self, fault: &Fault, entry: &Entry) -> bool {
        tokio::time::sleep(fault.delayed_by()).await;
        !fault.holds() || self.holds.hold(entry).await
    }

    async fn ask(&self, face: FaceName, request: Request<Bytes>) -> Reply {
        answer(&self.world, face, request).await
    }

    /// The reply that the request would have had: it is carried out in a copy of the world.
    async fn feign(&self, face: FaceName, request: Request<Bytes>) -> Reply {
        let copy = Mutex::new(lock(&self.world).clone());
        let reply = answer(&Arc::new(copy), face, request).await;
        Reply {
            wrote: false,
            ..reply
        }
    }

    fn dated(&self, face: FaceName, mut response: Response<Bytes>) -> Response<Bytes> {
        let now = lock(&self.world).time_at(face);
        if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
            response.headers_mut().entry(header::DATE).or_insert(date);
        }
        response
    }
}

async fn answer(world: &Arc<Mutex<World>>, face: FaceName, request: Request<Bytes>) -> Reply {
    match face {
        FaceName::DigitalOcean => digitalocean::answer(&mut lock(world), &request),
        FaceName::GitHub => github::answer(&mut lock(world), &request),
        FaceName::Spaces => spaces::answer(Arc::clone(world), request).await,
    }
}

/// Serves one face on a listener until the runtime ends.
pub(crate) async fn serve(shared: Arc<Shared>, face: FaceName, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // Small answers must not wait for each other.
        let _ = stream.set_nodelay(true);
        tokio::spawn(converse(Arc::clone(&shared), face, stream));
    }
}

/// Serves one connection to one face.
pub(crate) async fn converse<S>(shared: Arc<Shared>, face: FaceName, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = shared.next_connection();
    let service = service_fn(move |request| Arc::clone(&shared).exchange(face, connection, request));
    // An error here is the client's going away or a scripted cut.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Locks what a panicking test may have left poisoned.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn buffered(request: Request<Incoming>) -> Result<Request<Bytes>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT_BYTES);
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    Ok(Request::from_parts(head, body))
}

fn sent(reply: Reply) -> (Option<Response<Bytes>>, bool) {
    (Some(reply.response), reply.wrote)
}

/// Where the request was meant to go: an absolute-form target wins over `Host`.
pub(crate) fn host<B>(request: &Request<B>) -> String {
    let target = request.uri().authority().map(ToString::to_string);
    let header = || {
        request
            .headers()
            .get(header::HOST)?
            .to_str()
            .ok()
            .map(str::to_owned)
    };
    target.or_else(header).unwrap_or_default()
}

fn path<B>(request: &Request<B>) -> String {
    let uri = request.uri();
    uri.path_and_query()
        .map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

/// The least sleep of the runtime is a millisecond, which no latency must not cost.
async fn pause(time: std::time::Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
