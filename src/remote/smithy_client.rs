//! aws-sdk-s3 over our transport.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::USER_AGENT;

use super::transport::{NoReply, Transport};

/// The SDK's way to our transport. The time limits of the SDK are not heeded: the transport has its own.
#[derive(Debug, Clone)]
pub(super) struct SmithyClient(Transport);

impl SmithyClient {
    pub(super) fn new(transport: Transport) -> Self {
        Self(transport)
    }
}

impl HttpClient for SmithyClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SmithyClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.0.clone();
        HttpConnectorFuture::new(async move {
            let reply = transport
                .send(outgoing(request)?)
                .await
                .map_err(connector_error)?;
            HttpResponse::try_from(reply.map(SdkBody::from))
                .map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let mut request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    // One name for all services; the header is not part of what the SDK signs.
    request.headers_mut().remove(USER_AGENT);
    let in_memory = request.map(|body| body.bytes().map(Bytes::copy_from_slice).unwrap_or_default());
    reqwest::Request::try_from(in_memory).map_err(|error| ConnectorError::user(error.into()))
}

fn connector_error(error: NoReply) -> ConnectorError {
    ConnectorError::io(error.into())
}
