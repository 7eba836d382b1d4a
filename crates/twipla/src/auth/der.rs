//! The subset of DER that RSA keys need.

// Tags of elements.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// Object identifiers of key algorithms, in DER.
pub(super) mod oid {
    pub(in crate::auth) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    pub(in crate::auth) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    pub(in crate::auth) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    pub(in crate::auth) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
}

/// Reads the content of the first element of `der`, if it has this tag, and the rest after it.
pub(super) fn read(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    if first != tag {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    if length < 0x80 {
        return rest.split_at_checked(length.into());
    }
    let (length, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
    if length.len() > 4 {
        return None;
    }
    let length = length
        .iter()
        .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
    rest.split_at_checked(length)
}

/// Encodes an element with this tag and content.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|&byte| byte != 0);
    let length = &length[significant.unwrap_or(length.len() - 1)..];
    let mut element = vec![tag];
    // Short lengths are one byte. Long ones follow the number of their bytes.
    if content.len() >= 0x80 {
        element.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
    }
    element.extend_from_slice(length);
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_elements_are_read_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let der = [write(OCTET_STRING, &content), vec![1, 2]].concat();
            assert_eq!(read(OCTET_STRING, &der), Some((&*content, &[1, 2][..])));
            assert_eq!(read(SEQUENCE, &der), None, "another tag");
            assert_eq!(read(OCTET_STRING, &der[..length]), None, "cut off");
        }
    }

    #[test]
    fn lengths_of_more_than_four_bytes_are_rejected() {
        assert_eq!(read(SEQUENCE, &[SEQUENCE, 0x85, 0, 0, 0, 0, 1, 7]), None);
        assert_eq!(read(SEQUENCE, &[]), None);
        assert_eq!(read(SEQUENCE, &[SEQUENCE]), None);
    }
}
