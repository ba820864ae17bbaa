//! An HTTP proxy that ends tunnels at the faces instead of passing them on.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::route::Routes;
use crate::journal::FaceName;
use crate::outgoing::Outgoing;
use crate::server::{Cut, Shared, converse, host, lock};

pub(super) struct Proxy {
    pub(super) shared: Arc<Shared>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) routes: Routes,
    /// Hosts asked for, in order.
    pub(super) tunnels: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Serves one connection of a client.
    pub(super) async fn converse(self: Arc<Self>, stream: TcpStream) {
        let connection = self.shared.next_connection();
        let service = service_fn(move |request| Arc::clone(&self).relay(connection, request));
        // An error here is the client's going away or a scripted cut.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
    }

    async fn relay(
        self: Arc<Self>,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Cut> {
        let authority = host(&request);
        lock(&self.tunnels).push(without_port(&authority));
        let Some(face) = self.routes.face(&authority) else {
            return Ok(answer(StatusCode::BAD_GATEWAY));
        };
        if request.method() != Method::CONNECT {
            return Arc::clone(&self.shared).exchange(face, connection, request).await;
        }
        tokio::spawn(self.tunnel(face, hyper::upgrade::on(request)));
        Ok(answer(StatusCode::OK))
    }

    async fn tunnel(self: Arc<Self>, face: FaceName, upgrade: OnUpgrade) {
        let Ok(stream) = upgrade.await else {
            return;
        };
        if let Ok(stream) = self.acceptor.accept(TokioIo::new(stream)).await {
            converse(Arc::clone(&self.shared), face, stream).await;
        }
    }
}

fn without_port(authority: &str) -> String {
    let host = authority.split(':').next().unwrap_or_default();
    host.to_ascii_lowercase()
}

fn answer(status: StatusCode) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::Whole(None));
    *response.status_mut() = status;
    response
}
