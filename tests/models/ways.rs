//! Certificates of one's own, and proxies.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sentinel_tui::analyze::reply::Form;
use sentinel_tui::analyze::transport::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::server::script::{Act, Script, Tokens};
use crate::server::{Server, routes};
use crate::{Fallible, KEY, answer, client_of, endpoint, wide};

fn script() -> Script {
    Script::always(Act::Answer("yes".to_owned(), Tokens::default())).key(KEY)
}

/// Takes connections over TLS; one that fails there is left to its client.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A server for `models.test` and this machine, and the PEM text of the authority behind it.
async fn over_tls() -> Fallible<(SocketAddr, String)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = ["models.test".to_owned(), "127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let tls = Tls { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(axum::serve(tls, routes(script())).into_future());
    Ok((address, authority.pem()))
}

/// A proxy that only connects, to one place whatever is asked for; what is asked for is kept.
async fn connecting(to: SocketAddr) -> Fallible<(SocketAddr, Arc<Mutex<Vec<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            if let Ok(mut heads) = heads.lock() {
                heads.push(String::from_utf8_lossy(&head).into_owned());
            }
            tokio::spawn(async move {
                let mut upstream = TcpStream::connect(to).await?;
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                copy_bidirectional(&mut stream, &mut upstream).await
            });
        }
    });
    Ok((address, asked))
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_if_it_is_named() -> Fallible {
    let (address, pem) = over_tls().await?;
    let base = format!("https://{address}/v1");
    let without = client_of(endpoint(&base)?, wide(), Transport::default())?;
    let failure = answer(&without, Form::Text).await.err().ok_or("it was trusted")?.to_string();
    assert!(failure.contains("its certificate is not trusted"), "{failure}");
    assert!(failure.contains("models.ca_file"), "{failure}");

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("own.pem");
    std::fs::write(&file, pem)?;
    let transport = Transport { ca_file: Some(file.clone()), proxy: None };
    let with = client_of(endpoint(&base)?, wide(), transport.clone())?;
    assert_eq!(answer(&with, Form::Text).await?.text, "yes");

    for text in ["", "no certificate"] {
        std::fs::write(&file, text)?;
        let error = client_of(endpoint(&base)?, wide(), transport.clone());
        let error = error.err().ok_or("it was taken")?.to_string();
        assert!(error.contains("own.pem") && error.contains("PEM"), "{error}");
    }
    std::fs::remove_file(&file)?;
    let error = client_of(endpoint(&base)?, wide(), transport).err().ok_or("it was taken")?;
    assert!(error.to_string().contains("cannot be read"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_forwards_what_is_plain() -> Fallible {
    // The server understands what a proxy is asked, as every HTTP server must.
    let server = Server::start(script())?;
    let address = server.base_url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let proxy = Some(format!("http://ann:hunter3@{address}").into());
    let transport = Transport { proxy, ca_file: None };
    let client = client_of(endpoint("http://models.test/v1")?, wide(), transport.clone())?;
    assert_eq!(answer(&client, Form::Text).await?.text, "yes");
    let requests = server.requests();
    assert_eq!(requests[0].headers["host"], "models.test");
    assert_eq!(requests[0].headers["proxy-authorization"], "***");
    assert!(!format!("{client:?} {transport:?}").contains("hunter"), "{client:?}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_connects_to_what_is_encrypted() -> Fallible {
    let (address, pem) = over_tls().await?;
    let (proxy, asked) = connecting(address).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("own.pem");
    std::fs::write(&file, pem)?;
    let transport =
        Transport { proxy: Some(format!("http://{proxy}").into()), ca_file: Some(file) };
    let client = client_of(endpoint("https://models.test/v1")?, wide(), transport.clone())?;
    assert_eq!(answer(&client, Form::Text).await?.text, "yes");
    let heads = asked.lock().map(|heads| heads.clone()).unwrap_or_default();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].starts_with("CONNECT models.test:443 "), "{heads:?}");
    assert!(!heads[0].contains("hunter2"), "{heads:?}");

    // What is on this machine is asked directly.
    let direct = client_of(endpoint(&format!("https://{address}/v1"))?, wide(), transport)?;
    assert_eq!(answer(&direct, Form::Text).await?.text, "yes");
    assert_eq!(asked.lock().map(|heads| heads.len()).unwrap_or_default(), 1);
    Ok(())
}
