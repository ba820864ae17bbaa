//! The body of an answer: a whole one, or a flood that is made as it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// What a flood is sent in.
const BLANKS: &[u8] = &[b' '; 64 * 1024];

/// What is left to be sent.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// All of it is there; nothing once it is sent.
    Whole(Option<Bytes>),
    /// So many blanks, which take no memory.
    Flood(usize),
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut *self {
            Self::Whole(body) => body.take().filter(|body| !body.is_empty()),
            Self::Flood(0) => None,
            Self::Flood(left) => {
                let size = BLANKS.len().min(*left);
                *left -= size;
                Some(Bytes::from_static(&BLANKS[..size]))
            }
        };
        Poll::Ready(next.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Flood(left) => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            Self::Flood(_) => SizeHint::default(),
        }
    }
}
