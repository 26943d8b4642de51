//! From a word on the command line to an exit status.

use crate::{Context, ResourceAgent, action_deadline, last_place, report, trace};
use host::log;
use ocf::{Action, CheckLevel, Env, ExitCode, Failure, FailureKind, Parameters, Role, State};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an action comes to.
enum Answer {
    Done,
    State(State),
}

/// The whole program: reads arguments and environment, runs the action and answers.
pub fn run<A: ResourceAgent>() -> std::process::ExitCode {
    host::learn_how_children_end();
    host::leave_no_core_file();
    let env = Env::snapshot();
    // The default hook would print a backtrace where Pacemaker looks for the reason.
    std::panic::set_hook(Box::new(|_| {}));
    let code = catch_unwind(AssertUnwindSafe(|| dispatch::<A>(&env))).unwrap_or_else(|panic| {
        fail(
            &env,
            &Failure::generic(format!("internal error of the agent: {}", panic_message(&*panic))),
        )
        .number()
    });
    std::process::ExitCode::from(code)
}

fn panic_message(panic: &dyn Any) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
}

fn dispatch<A: ResourceAgent>(env: &Env) -> u8 {
    let table = A::METADATA;
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let word = arguments.first().map_or("", String::as_str);
    log::open(log::Settings {
        identity: format!("{}({})", table.name, env.instance()),
        facility: env.variable("HA_logfacility").unwrap_or_default().to_owned(),
        debug: env.variable("HA_debug").is_some_and(|level| level != "0"),
        trace: trace::file(env, table, word),
    });
    if let Some(code) = A::other_call(&arguments, env) {
        return code;
    }
    // Further arguments are ignored (OCF API 1.1, "Parameter passing").
    if matches!(word, "usage" | "help" | "--help" | "-h") {
        return u8::from(!report::print(&report::usage(table)));
    }
    let Some(spec) = Action::parse(word).and_then(|action| table.action(action)) else {
        eprint_usage(&report::usage(table));
        let known = if word.is_empty() {
            "no action given".into()
        } else {
            format!("unknown action \"{word}\"")
        };
        return fail(env, &Failure::new(FailureKind::Unimplemented, known)).number();
    };
    if spec.action == Action::MetaData {
        return u8::from(!report::print(&table.render(env.dialect())));
    }
    let cx = Context {
        env,
        deadline: action_deadline::of(env, spec),
    };
    match perform::<A>(spec.action, &cx) {
        Ok(Answer::Done) => ExitCode::Success,
        Ok(Answer::State(state)) => downgrade_if_unsupported(env, state).exit_code(),
        Err(failure) => {
            if spec.action == Action::Monitor && !env.interval().is_zero() {
                last_place::keep(env, &failure.reason, cx.deadline);
            }
            fail(env, &failure)
        }
    }
    .number()
}

/// A degraded state is returned with its reason; for a Pacemaker that would take it for a failure, only logged.
fn downgrade_if_unsupported(env: &Env, state: State) -> State {
    match state {
        State::Degraded(role, reason) if !env.knows_degraded() => {
            log::warning(&reason);
            State::Running(role)
        }
        State::Degraded(_, ref reason) => {
            report::exit_reason(env, reason);
            state
        }
        other => other,
    }
}

fn eprint_usage(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn fail(env: &Env, failure: &Failure) -> ExitCode {
    report::exit_reason(env, &failure.reason);
    if failure.kind == FailureKind::NotRunning {
        log::warning(&failure.reason);
    } else {
        log::error(&failure.reason);
    }
    failure.kind.exit_code()
}

/// Runs the action, and looks again where the OCF API promises a result.
fn perform<A: ResourceAgent>(action: Action, cx: &Context<'_>) -> Result<Answer, Failure> {
    let probe = action == Action::Monitor && cx.env.interval().is_zero();
    let lenient = probe || action == Action::Stop;
    if !lenient {
        // An agent reads what it needs; a wrong value of another parameter is to be reported as well.
        Parameters::new(cx.env, A::METADATA, false).check()?;
    }
    let agent = A::configure(cx.env, lenient)?;
    match action {
        Action::Monitor => return agent.monitor(cx).map(Answer::State),
        Action::Start => {
            agent.start(cx)?;
            must_be(&agent, cx, "start", State::is_running)?;
        }
        Action::Stop => {
            agent.stop(cx)?;
            must_be(&agent, cx, "stop", |state| !state.is_running())?;
        }
        Action::Promote => {
            agent.promote(cx)?;
            must_be(&agent, cx, "promote", |state| has_role(state, Role::Promoted))?;
        }
        Action::Demote => {
            agent.demote(cx)?;
            must_be(&agent, cx, "demote", |state| !has_role(state, Role::Promoted))?;
        }
        Action::Notify => agent.notify(cx)?,
        Action::Reload => agent.reload(cx)?,
        Action::ReloadAgent => agent.reload_agent(cx)?,
        Action::ValidateAll if cx.env.check_level() >= CheckLevel::Service => {
            agent.validate(cx, cx.env.check_level())?;
        }
        // Level 0 looks at the parameters only, which configure has done. Meta-data is answered before.
        Action::ValidateAll | Action::MetaData => {}
    }
    Ok(Answer::Done)
}

fn has_role(state: &State, wanted: Role) -> bool {
    matches!(state, State::Running(role) | State::Degraded(role, _) if *role == wanted)
}

/// Never trust an action's own word.
fn must_be<A: ResourceAgent>(
    agent: &A,
    cx: &Context<'_>,
    action: &str,
    wanted: impl Fn(&State) -> bool,
) -> Result<(), Failure> {
    match agent.monitor(cx) {
        Ok(state) if wanted(&state) => Ok(()),
        Ok(state) => Err(Failure::generic(format!(
            "{action} was done, but the state afterwards is '{state}'"
        ))),
        Err(failure) if action == "stop" && failure.kind == FailureKind::NotRunning => Ok(()),
        Err(failure) => Err(failure),
    }
}
