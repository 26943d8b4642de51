//! The server's command line.

use crate::installation::SecureMode;
use std::ffi::OsString;
use std::path::PathBuf;

/// Everything a server needs to know to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The program.
    pub binary: PathBuf,
    /// `start-single-node`, or what the store was made with.
    pub start_mode: String,
    /// The store, which is also the mount point of the replicated file system.
    pub data_root: PathBuf,
    /// How clients and server speak.
    pub secure_mode: SecureMode,
    /// Where the certificates are; unused when insecure.
    pub certs_directory: PathBuf,
    /// Address it listens on for SQL, with port.
    pub listen_address: String,
    /// Address it tells others, with port. Never the virtual IP: it must be this node's own.
    pub advertise_address: Option<String>,
    /// Address it listens on for HTTP, with port.
    pub http_address: String,
    /// Address of the brpc service, with port; `None` for releases before 3.0, which do not know the flag.
    pub brpc_address: Option<String>,
    /// Whether the installer made the store encrypted (enterprise edition).
    pub encrypted_store: bool,
    /// Flags of `KAIWUDB_START_ARG` and of the parameter `extra_args`; they come first, as in the vendor's unit.
    pub extra_arguments: Vec<String>,
}

/// What `--log-dir` in the server's further flags says. Without it the logs are in `logs` in the store.
pub fn log_directory(extra_arguments: &[String]) -> Option<PathBuf> {
    let mut words = extra_arguments.iter();
    while let Some(word) = words.next() {
        if word == "--log-dir" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.strip_prefix("--log-dir=") {
            return Some(path.into());
        }
    }
    None
}

impl Server {
    /// The arguments after the program's name, in the order of the vendor's unit.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![self.start_mode.clone().into()];
        arguments.extend(self.extra_arguments.iter().map(OsString::from));
        match self.secure_mode {
            SecureMode::Insecure => arguments.push("--insecure".into()),
            SecureMode::Tls | SecureMode::Tlcp => arguments.push(flag("certs-dir", &self.certs_directory)),
        }
        if self.secure_mode == SecureMode::Tlcp {
            arguments.push("--tlcp".into());
        }
        arguments.push(flag("listen-addr", &self.listen_address));
        if let Some(address) = &self.advertise_address {
            arguments.push(flag("advertise-addr", address));
        }
        arguments.push(flag("http-addr", &self.http_address));
        if let Some(address) = &self.brpc_address {
            arguments.push(flag("brpc-addr", address));
        }
        arguments.push(flag("store", &self.data_root));
        if self.encrypted_store {
            let key = self.certs_directory.join("sm4.key");
            let mut value = OsString::from("path=");
            value.push(&self.data_root);
            value.push(",key=");
            value.push(key);
            value.push(",cipher=sm4");
            arguments.push(flag("store-encryption", value));
        }
        arguments
    }
}

fn flag(name: &str, value: impl Into<OsString>) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value.into());
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            binary: "/usr/local/kaiwudb/bin/kwbase".into(),
            start_mode: "start-single-node".into(),
            data_root: "/var/lib/kaiwudb".into(),
            secure_mode: SecureMode::Insecure,
            certs_directory: "/etc/kaiwudb/certs".into(),
            listen_address: "0.0.0.0:26257".into(),
            advertise_address: Some("10.1.2.3:26257".into()),
            http_address: "0.0.0.0:8080".into(),
            brpc_address: Some("0.0.0.0:27257".into()),
            encrypted_store: false,
            extra_arguments: vec!["--cache=1GB".into()],
        }
    }

    #[test]
    fn the_same_line_as_the_vendors_unit() {
        let expected = "start-single-node --cache=1GB --insecure --listen-addr=0.0.0.0:26257 \
                        --advertise-addr=10.1.2.3:26257 --http-addr=0.0.0.0:8080 --brpc-addr=0.0.0.0:27257 \
                        --store=/var/lib/kaiwudb";
        assert_eq!(server().arguments().join(" ".as_ref()), expected);
    }

    #[test]
    fn tlcp_and_encryption_are_passed_on() {
        let server = Server {
            secure_mode: SecureMode::Tlcp,
            encrypted_store: true,
            ..server()
        };
        let line = server.arguments().join(" ".as_ref()).into_string().unwrap();
        assert!(line.contains("--certs-dir=/etc/kaiwudb/certs --tlcp"), "{line}");
        let last = "--store-encryption=path=/var/lib/kaiwudb,key=/etc/kaiwudb/certs/sm4.key,cipher=sm4";
        assert!(line.ends_with(last), "{line}");
    }
}
