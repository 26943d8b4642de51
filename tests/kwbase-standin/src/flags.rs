//! Command-line flags with the syntax and the error texts of Go's `pflag`, which the real server uses.

use std::time::Duration;

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `--name` or `--name=true|false`.
    Switch,
    /// `--name=value` or `--name value`.
    Text,
    /// As [`Kind::Text`], but `--name` alone is also accepted.
    OptionalText,
    /// A whole number.
    Number,
    /// A Go duration such as `10s`, `1m30s`, `500ms`.
    Duration,
}

/// One flag that a command knows.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) kind: Kind,
}

/// Shorthand for the tables of the commands.
pub(crate) const fn flag(name: &'static str, kind: Kind) -> Flag {
    Flag {
        name,
        short: None,
        kind,
    }
}

/// As [`flag`], with a one-letter form.
pub(crate) const fn short(name: &'static str, letter: char, kind: Kind) -> Flag {
    Flag {
        name,
        short: Some(letter),
        kind,
    }
}

/// The flags and arguments that were given.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    values: Vec<(&'static str, String)>,
    pub(crate) positional: Vec<String>,
}

impl Arguments {
    /// Reads `args` by the flags in `tables`; the error is the text that pflag would print.
    pub(crate) fn parse(tables: &[&[Flag]], args: &[String]) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                parsed.positional.extend(rest.by_ref().cloned());
            } else if let Some(body) = arg.strip_prefix("--") {
                let (name, value) = match body.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (body, None),
                };
                let flag = find(tables, |flag| flag.name == name)
                    .ok_or_else(|| format!("unknown flag: --{name}"))?;
                parsed.take(flag, arg, value, &mut rest)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                parsed.parse_short(tables, arg, &mut rest)?;
            } else {
                parsed.positional.push(arg.clone());
            }
        }
        Ok(parsed)
    }

    fn parse_short(
        &mut self,
        tables: &[&[Flag]],
        arg: &str,
        rest: &mut std::slice::Iter<'_, String>,
    ) -> Result<(), String> {
        let letter = arg.chars().nth(1).unwrap_or_default();
        let flag = find(tables, |flag| flag.short == Some(letter))
            .ok_or_else(|| format!("unknown shorthand flag: '{letter}' in {arg}"))?;
        let attached = arg[1 + letter.len_utf8()..].trim_start_matches('=');
        let value = (!attached.is_empty()).then(|| attached.to_owned());
        self.take(flag, arg, value, rest)
    }

    fn take(
        &mut self,
        flag: &Flag,
        given: &str,
        value: Option<String>,
        rest: &mut std::slice::Iter<'_, String>,
    ) -> Result<(), String> {
        let value = match (flag.kind, value) {
            (_, Some(value)) => value,
            (Kind::Switch, None) => "true".to_owned(),
            (Kind::OptionalText, None) => String::new(),
            (_, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| format!("flag needs an argument: {given}"))?,
        };
        let reason = match flag.kind {
            Kind::Switch if parse_bool(&value).is_none() => {
                Some(format!("strconv.ParseBool: parsing \"{value}\": invalid syntax"))
            }
            Kind::Number if value.parse::<i64>().is_err() => {
                Some(format!("strconv.ParseInt: parsing \"{value}\": invalid syntax"))
            }
            Kind::Duration if parse_duration(&value).is_none() => {
                Some(format!("time: invalid duration {value}"))
            }
            _ => None,
        };
        if let Some(reason) = reason {
            return Err(format!(
                "invalid argument \"{value}\" for \"--{}\" flag: {reason}",
                flag.name
            ));
        }
        self.values.push((flag.name, value));
        Ok(())
    }

    /// The last value given for `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value given for `name`, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.values
            .iter()
            .filter(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Whether the switch `name` is given and true.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name).and_then(parse_bool) == Some(true)
    }
}

fn find<'a>(tables: &[&'a [Flag]], wanted: impl Fn(&Flag) -> bool) -> Option<&'a Flag> {
    tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|flag| wanted(flag))
}

/// Go's `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Go's `time.ParseDuration` for durations that are not negative.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        seconds += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty())
        .then(|| Duration::try_from_secs_f64(seconds).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Flag] = &[
        short("store", 's', Kind::Text),
        flag("insecure", Kind::Switch),
        flag("drain-wait", Kind::Duration),
        flag("logtostderr", Kind::OptionalText),
    ];

    fn parse(args: &[&str]) -> Result<Arguments, String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Arguments::parse(&[TABLE], &args)
    }

    #[test]
    fn both_forms_of_a_value_and_of_a_switch() {
        let parsed = parse(&["--store=/a", "-s", "/b", "--insecure", "host", "--insecure=false"]).unwrap();
        assert_eq!(parsed.all("store"), ["/a", "/b"]);
        assert_eq!(parsed.get("store"), Some("/b"));
        assert!(!parsed.is_set("insecure"));
        assert_eq!(parsed.positional, ["host"]);
    }

    #[test]
    fn errors_read_like_pflag() {
        assert_eq!(parse(&["--tlcp"]).unwrap_err(), "unknown flag: --tlcp");
        assert_eq!(parse(&["-x"]).unwrap_err(), "unknown shorthand flag: 'x' in -x");
        assert_eq!(
            parse(&["--store"]).unwrap_err(),
            "flag needs an argument: --store"
        );
        let bad = parse(&["--drain-wait=soon"]).unwrap_err();
        assert_eq!(
            bad,
            "invalid argument \"soon\" for \"--drain-wait\" flag: time: invalid duration soon"
        );
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("0"), Some(Duration::ZERO));
        assert_eq!(parse_duration("10"), None);
        assert_eq!(parse_duration(""), None);
    }
}
