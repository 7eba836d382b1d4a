//! A server with responses chosen by a test.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

pub(crate) fn answer(status: &str, body: &str) -> Vec<Vec<u8>> {
    answer_with(status, &[], body.as_bytes())
}

pub(crate) fn answer_with(status: &str, headers: &[&str], body: &[u8]) -> Vec<Vec<u8>> {
    let headers: Vec<String> = headers
        .iter()
        .map(|header| format!("{header}\r\n"))
        .collect();
    let headers = headers.concat();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    vec![head.into_bytes(), body.to_vec()]
}

/// Responds to each path with the given pieces, until the test ends.
pub(crate) fn serve(answer: impl Fn(&str) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            for piece in answer(head.split(' ').nth(1).unwrap_or_default()) {
                // The client may have closed the connection.
                if stream.write_all(&piece).is_err() {
                    break;
                }
            }
        }
    });
    address
}
