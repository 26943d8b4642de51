//! Times and booleans as Pacemaker writes them.

/// A time as Pacemaker writes it, in seconds: a number with `us`, `ms`, `s`, `m`, `min`, `h` behind it, or an ISO 8601 duration.
/// A number alone is seconds. `None` for anything else.
pub fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix('P') {
        return iso_seconds(iso);
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = match text[end..].trim() {
        "us" | "usec" => 1e-6,
        "ms" | "msec" => 1e-3,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" | "hr" => 3600.0,
        _ => return None,
    };
    Some(number * unit)
}

fn iso_seconds(text: &str) -> Option<f64> {
    let (days, time) = text.split_once('T').unwrap_or((text, ""));
    let mut total = 0.0;
    for (part, units) in [
        (days, [('W', 604_800.0), ('D', 86_400.0)].as_slice()),
        (time, [('H', 3600.0), ('M', 60.0), ('S', 1.0)].as_slice()),
    ] {
        let mut rest = part;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let unit = rest[end..].chars().next()?;
            let (_, factor) = units.iter().find(|(known, _)| *known == unit)?;
            total += rest[..end].parse::<f64>().ok()? * factor;
            rest = &rest[end + unit.len_utf8()..];
        }
    }
    Some(total)
}

/// What Pacemaker takes for yes or no, in any case; `None` for anything else, which it takes for the option's default.
pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "y" | "1" => Some(true),
        "false" | "off" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}
