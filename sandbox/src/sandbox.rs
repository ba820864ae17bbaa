//! A running sandbox, as tests and the binary hold it.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::edge::Edge;
use crate::fault::Fault;
use crate::journal::{Entry, FaceName};
use crate::server::{Shared, lock, serve};
use crate::world::World;

/// A sandbox in full operation on loopback. Dropping it stops it.
///
/// Every method is synchronous and may be called from any thread.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    ports: Ports,
    runtime: Handle,
    edge: OnceLock<Edge>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The loopback port of each face; 0 lets the system choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// Port of the DigitalOcean API.
    pub digitalocean: u16,
    /// Port of Spaces.
    pub spaces: u16,
    /// Port of the GitHub API.
    pub github: u16,
}

impl Ports {
    /// Three ports in a row: DigitalOcean, Spaces, GitHub.
    #[must_use]
    pub fn from_base(base: u16) -> Self {
        Self {
            digitalocean: base,
            spaces: base.saturating_add(1),
            github: base.saturating_add(2),
        }
    }

    /// Binds them, and tells which ports they became.
    fn bind(self) -> io::Result<(Listeners, Self)> {
        let (digitalocean, digitalocean_port) = bind(self.digitalocean)?;
        let (spaces, spaces_port) = bind(self.spaces)?;
        let (github, github_port) = bind(self.github)?;
        let listeners = [
            (FaceName::DigitalOcean, digitalocean),
            (FaceName::Spaces, spaces),
            (FaceName::GitHub, github),
        ];
        let ports = Self {
            digitalocean: digitalocean_port,
            spaces: spaces_port,
            github: github_port,
        };
        Ok((listeners, ports))
    }
}

impl Sandbox {
    /// Starts on ports that the system chooses.
    ///
    /// # Panics
    /// If the system has no loopback port or no thread to spare.
    #[must_use]
    pub fn start(world: World) -> Self {
        Self::start_on(world, Ports::default()).expect("loopback has a free port")
    }

    /// Starts on the given ports of `127.0.0.1`.
    pub fn start_on(mut world: World, ports: Ports) -> io::Result<Self> {
        let (listeners, ports) = ports.bind()?;
        world.digitalocean.log_host = loopback(ports.digitalocean);
        let shared = Arc::new(Shared::new(world));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || run(&runtime, &served, listeners, stopped))?;
        Ok(Self {
            shared,
            ports,
            runtime: handle,
            edge: OnceLock::new(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `http://127.0.0.1:PORT` of the DigitalOcean API.
    #[must_use]
    pub fn digitalocean_url(&self) -> String {
        loopback(self.ports.digitalocean)
    }

    /// `http://127.0.0.1:PORT` of the GitHub API, with the path prefix that the switches name.
    #[must_use]
    pub fn github_url(&self) -> String {
        loopback(self.ports.github) + &self.world().switches.github_path_prefix
    }

    /// `http://127.0.0.1:PORT` of Spaces. The bucket may be in the path or in
    /// `Host`; the region is the one in `Host`, else the switches' default.
    #[must_use]
    pub fn spaces_url(&self) -> String {
        loopback(self.ports.spaces)
    }

    /// The world as it is now. While the guard lives no request is answered, and
    /// this thread must call no other method of the sandbox: it would wait for itself.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.shared.world);
        world.settle();
        world
    }

    /// Every request since the start or since the last [`Sandbox::clear_journal`].
    #[must_use]
    pub fn journal(&self) -> Vec<Entry> {
        lock(&self.shared.journal).entries()
    }

    /// Forgets the journal; the numbering of requests goes on.
    pub fn clear_journal(&self) {
        lock(&self.shared.journal).clear();
    }

    /// Scripts a fault, to be tried after those scripted before.
    pub fn script(&self, fault: Fault) {
        lock(&self.shared.script).add(fault);
    }

    /// Forgets all scripted faults; held requests stay held.
    pub fn clear_faults(&self) {
        lock(&self.shared.script).clear();
    }

    /// Moves the sandbox clock forward.
    pub fn advance(&self, by: Duration) {
        lock(&self.shared.world).clock.advance(by);
    }

    /// Blocks until a [`Fault::hold`] holds a request, and returns the one held
    /// longest; `None` after `timeout` of real time.
    #[must_use]
    pub fn wait_until_held(&self, timeout: Duration) -> Option<Entry> {
        self.shared.holds.wait(timeout)
    }

    /// Lets all held requests go on, even those whose client has gone.
    pub fn release(&self) {
        self.shared.holds.release();
    }

    /// Forgets all held requests: they go no further and their connections close.
    pub fn drop_held(&self) {
        self.shared.holds.drop_all();
    }

    /// Sentences on everything that must never happen and did: a key deleted
    /// while a secret or an app still held it, a token sent to a log host.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.world).violations.clone()
    }

    /// The way to the faces by their real names over TLS; started at the first call.
    ///
    /// # Panics
    /// If the system has no loopback port to spare.
    #[must_use]
    pub fn edge(&self) -> Edge {
        let start = || Edge::start(&self.shared, &self.runtime, self.ports);
        self.edge
            .get_or_init(|| start().expect("loopback has a free port"))
            .clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.holds.drop_all();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its panic, if any, was printed when it happened.
            let _ = thread.join();
        }
    }
}

type Listeners = [(FaceName, TcpListener); 3];

fn loopback(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A listener on a loopback port, and the port it got.
pub(crate) fn bind(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn run(runtime: &Runtime, shared: &Arc<Shared>, listeners: Listeners, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        for (face, listener) in listeners {
            if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                tokio::spawn(serve(Arc::clone(shared), face, listener));
            }
        }
        // The sender is dropped, never used.
        let _ = stopped.await;
    });
}
