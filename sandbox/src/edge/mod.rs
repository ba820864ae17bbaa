//! The faces under their real names: a proxy, and TLS with a private authority.

mod certificate;
mod proxy;
mod route;

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;

use crate::journal::FaceName;
use crate::sandbox::{Ports, bind};
use crate::server::{Shared, converse, lock};

use self::certificate::Identity;
use self::proxy::Proxy;
use self::route::Routes;

/// The way to the faces by their real host names.
///
/// A client that takes `proxy_url` as its `HTTPS_PROXY` and trusts `ca_pem` talks
/// to `https://api.digitalocean.com`, `https://*.digitaloceanspaces.com` and
/// `https://api.github.com` without knowing that they are played. Other hosts
/// are refused with 502: nothing leaves the machine.
#[derive(Debug, Clone)]
pub struct Edge {
    /// `http://127.0.0.1:PORT` of the proxy.
    pub proxy_url: String,
    /// The certificate authority's certificate, as PEM.
    pub ca_pem: String,
    tls_urls: TlsUrls,
    tunnels: Arc<Mutex<Vec<String>>>,
}

/// `https://localhost:PORT` of each face.
#[derive(Debug, Clone)]
pub struct TlsUrls {
    /// The DigitalOcean API.
    pub digitalocean: String,
    /// Spaces.
    pub spaces: String,
    /// The GitHub API, with the path prefix that the switches name.
    pub github: String,
}

impl Edge {
    /// The hosts that the proxy was asked for, in order, refused ones included.
    #[must_use]
    pub fn tunnels(&self) -> Vec<String> {
        lock(&self.tunnels).clone()
    }

    /// Each face behind TLS without a proxy. The certificate also names `127.0.0.1`.
    #[must_use]
    pub fn tls_urls(&self) -> TlsUrls {
        self.tls_urls.clone()
    }

    pub(crate) fn start(shared: &Arc<Shared>, runtime: &Handle, ports: Ports) -> io::Result<Self> {
        let switches = lock(&shared.world).switches.clone();
        let Identity { ca_pem, server } =
            Identity::issue(&switches.github_hosts).map_err(io::Error::other)?;
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let listen = |face| listen(shared, runtime, &acceptor, face);
        let tls_urls = TlsUrls {
            digitalocean: listen(FaceName::DigitalOcean)?,
            spaces: listen(FaceName::Spaces)?,
            github: listen(FaceName::GitHub)? + &switches.github_path_prefix,
        };
        let tunnels = Arc::default();
        let proxy = Proxy {
            shared: Arc::clone(shared),
            acceptor: acceptor.clone(),
            routes: Routes::new(switches.github_hosts, ports),
            tunnels: Arc::clone(&tunnels),
        };
        let (listener, port) = bind(0)?;
        let proxy = Arc::new(proxy);
        spawn_accepting(runtime, listener, move |stream| {
            Arc::clone(&proxy).converse(stream)
        });
        Ok(Self {
            proxy_url: format!("http://127.0.0.1:{port}"),
            ca_pem,
            tls_urls,
            tunnels,
        })
    }
}

/// Serves one face behind TLS and returns its URL.
fn listen(
    shared: &Arc<Shared>,
    runtime: &Handle,
    acceptor: &TlsAcceptor,
    face: FaceName,
) -> io::Result<String> {
    let (listener, port) = bind(0)?;
    let (shared, acceptor) = (Arc::clone(shared), acceptor.clone());
    spawn_accepting(runtime, listener, move |stream| {
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(shared, face, stream).await;
            }
        }
    });
    Ok(format!("https://localhost:{port}"))
}

/// Hands every connection of a listener to `serve`, each in a task of its own.
fn spawn_accepting<F>(
    runtime: &Handle,
    listener: TcpListener,
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.spawn(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        while let Ok((stream, _)) = listener.accept().await {
            // Small answers must not wait for each other.
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve(stream));
        }
    });
}
