//! What the server says on its standard output and error is kept in /run, which is memory and everybody's: of many words the last remain.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes that may lie there until they are looked at.
const MOST: u64 = 1 << 20;
/// Bytes that are kept of more: what a diagnosis reads, several times over.
const KEPT: u64 = 64 << 10;

/// Keeps the end of a file that has grown too long. The server appends to it, and goes on where it ends now.
pub(super) fn cut(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    if length <= MOST {
        return Ok(());
    }
    file.seek(SeekFrom::Start(length - KEPT))?;
    let mut kept = Vec::new();
    Read::by_ref(&mut file).take(KEPT).read_to_end(&mut kept)?;
    file.set_len(0)?;
    file.write_all(&kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_last_words_remain() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut server = OpenOptions::new().append(true).open(file.path()).unwrap();
        server.write_all(b"few").unwrap();
        cut(file.path()).unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"few");
        let many: Vec<u8> = (0u32..1 << 19).flat_map(u32::to_be_bytes).collect();
        server.write_all(&many).unwrap();
        cut(file.path()).unwrap();
        server.write_all(b"more").unwrap();
        let kept = fs::read(file.path()).unwrap();
        assert_eq!(kept.len() as u64, KEPT + 4);
        assert!(many.ends_with(&kept[..kept.len() - 4]) && kept.ends_with(b"more"));
    }
}
