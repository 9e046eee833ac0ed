//! The storm: what is thrown at each call, and what may come back.

use alloc::format;
use alloc::string::String;

use syscall::SystemCall;
use zx::{Status, sys};

use crate::picker::Picker;

mod arguments;
mod kinds;
mod tasks;
mod vmos;

/// What is wrong with a handle.
macro_rules! refusals {
    ($($name:ident),*) => {
        &[Status::BAD_HANDLE, Status::WRONG_TYPE, $(Status::$name),*]
    };
}

/// A row.
macro_rules! kind {
    ($call:ident, $effect:expr, $answer:expr, $arguments:expr) => {
        Kind {
            name: stringify!($call),
            call: Some(SystemCall::$call),
            arguments: $arguments,
            answer: $answer,
            effect: $effect,
        }
    };
}

use {kind, refusals};

/// Every call but those that end the caller.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    kinds::KINDS.iter().chain(tasks::KINDS).chain(vmos::KINDS)
}

/// The registers of a call.
pub type Arguments = [usize; 8];

/// What is thrown at one call.
pub struct Kind {
    /// The name of the call.
    pub name: &'static str,
    /// Its number; `None` for numbers that are no call.
    call: Option<SystemCall>,
    /// Chooses the arguments.
    arguments: fn(&mut Picker) -> Arguments,
    /// What the result register may hold.
    answer: Answer,
    /// What the call does to handles.
    effect: Effect,
}

/// What the result register of a call may hold.
enum Answer {
    /// Success, or one of these.
    Status(&'static [Status]),
    /// One of these.
    Refusal(&'static [Status]),
    /// Any number that is not negative.
    Number,
    /// Anything.
    Nothing,
}

/// What a call does to the world.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Effect {
    /// Nothing, or it closes a handle.
    None,
    /// It changes regions; one that fails changes nothing.
    Regions,
    /// The same, but one with `SPECIFIC_OVERWRITE` that cannot tell the address has made room already.
    Overwrites,
    /// It makes a handle and writes its value to the address in this register.
    Makes(usize, Made),
    /// It makes two handles, of a process and of its root region, at the addresses in these registers.
    MakesProcess(usize, usize),
}

/// What a new handle is for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Made {
    Region,
    Vmo,
    Any,
}

/// Makes `calls` calls; tells the first one whose answer must not be, if any, and whether none got through
/// to what the call is for.
///
/// # Errors
/// What goes wrong when the world begins again.
pub fn run(kind: &Kind, picker: &mut Picker, calls: u32) -> Result<Result<(), String>, Status> {
    picker.world.reset()?;
    let mut since_reset = 0;
    let mut successes = 0;
    for index in 0..calls {
        since_reset += 1;
        if since_reset > 100 || picker.world.is_full() {
            picker.world.reset()?;
            since_reset = 0;
        }
        match throw(kind, picker) {
            Ok(Outcome::Success) => successes += 1,
            Ok(Outcome::Refusal) => (),
            Err(text) => return Ok(Err(format!("call {index}: {text}"))),
        }
    }
    let may_fail = matches!(kind.answer, Answer::Refusal(_)) || successes > 0;
    Ok(may_fail
        .then_some(())
        .ok_or_else(|| String::from("no call succeeded")))
}

/// How the kernel took a call.
enum Outcome {
    /// It did what was asked.
    Success,
    /// It did nothing.
    Refusal,
}

/// Makes one call.
fn throw(kind: &Kind, picker: &mut Picker) -> Result<Outcome, String> {
    let arguments = (kind.arguments)(picker);
    if picker.world.is_needed(arguments[0] as u32) {
        return Ok(Outcome::Refusal);
    }
    let number = match kind.call {
        Some(call) => call.number(),
        None => unknown_number(picker),
    };
    let must_keep = match kind.effect {
        Effect::Regions | Effect::Makes(_, Made::Region) => true,
        Effect::Overwrites => arguments[1] as u32 & sys::ZX_VM_SPECIFIC_OVERWRITE == 0,
        Effect::None | Effect::Makes(_, Made::Vmo | Made::Any) | Effect::MakesProcess(..) => false,
    };
    let before = must_keep.then(|| picker.world.records());
    // SAFETY:
    // 1. The picker knows no memory of the program's own but the buffers, which hold nothing.
    // 2. No handle that the program needs is in the first register, and no kind has a second one that
    //    it closes.
    let result = unsafe { sys::raw_system_call(number, arguments) };
    let after = must_keep.then(|| picker.world.records());
    settle(kind, picker, &arguments, result);
    let wrong = if !kind.answer.permits(result) {
        "must not answer"
    } else if result != 0 && before != after {
        "has changed something, but answers"
    } else if kind.answer.is_success(result) {
        return Ok(Outcome::Success);
    } else {
        return Ok(Outcome::Refusal);
    };
    Err(format!(
        "{}({arguments:x?}) {wrong} {result:#x} ({})",
        kind.name,
        Status::from_raw(result as i32)
    ))
}

/// A number that is no call.
fn unknown_number(picker: &mut Picker) -> usize {
    let count = SystemCall::COUNT;
    match picker.random.below(4) {
        0 => count + picker.random.below(64),
        1 => picker.random.below(count) | 1 << (32 + picker.random.below(32)),
        2 => picker.random.pick(&[count, usize::MAX, 1 << 31, 1 << 63]),
        _ => (picker.random.next() as usize).max(count),
    }
}

/// Notes which handles there are after a call.
fn settle(kind: &Kind, picker: &mut Picker, arguments: &Arguments, result: usize) {
    if result != 0 {
        return;
    }
    // SAFETY: the kernel has just written a handle's value there.
    let made_at = |register: usize| unsafe {
        (arguments[register] as *const sys::zx_handle_t).read_unaligned()
    };
    let world = &mut picker.world;
    match kind.effect {
        // A closed handle stays in the list: it is one of the values that hurt.
        Effect::None | Effect::Regions | Effect::Overwrites => (),
        Effect::Makes(register, Made::Region) => world.add_region(made_at(register)),
        Effect::Makes(register, Made::Vmo) => world.add_vmo(made_at(register)),
        Effect::Makes(register, Made::Any) => world.handles.push(made_at(register)),
        Effect::MakesProcess(process, vmar) => {
            world.add_task(made_at(process));
            world.handles.push(made_at(vmar));
        }
    }
}

impl Answer {
    fn is_success(&self, result: usize) -> bool {
        match self {
            Self::Status(_) | Self::Refusal(_) => result == 0,
            Self::Number | Self::Nothing => true,
        }
    }

    fn permits(&self, result: usize) -> bool {
        // A status is 32 bits with its sign; the rest of the register repeats the sign.
        let status = Status::from_raw(result as i32);
        let is_status = result as isize == result as i32 as isize;
        match self {
            Self::Status(refusals) => is_status && (result == 0 || refusals.contains(&status)),
            Self::Refusal(refusals) => is_status && refusals.contains(&status),
            Self::Number => result as isize >= 0,
            Self::Nothing => true,
        }
    }
}
