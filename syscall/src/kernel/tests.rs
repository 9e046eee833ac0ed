//! The dispatcher against a recorder of what it was asked to do.

use std::cell::RefCell;
use std::fmt::Debug;
use std::format;
use std::string::String;

use super::{SystemCalls, UserIn, UserOut, dispatch};
use crate::{
    FeatureKind, HandleValue, IommuType, ProcessOptions, Property, ResourceOptions, Result, Rights,
    Signals, Status, SystemCall, Topic, TransferDataOptions, VmOptions, VmarOp, VmoChildOptions,
    VmoOp, VmoOptions,
};

/// Notes each call with its arguments and answers with a fixed status or a number.
struct Recorder {
    answer: Result<()>,
    seen: RefCell<String>,
}

macro_rules! argument {
    (value $type:ident) => { $type };
    (input $type:ident) => { UserIn<$type> };
    (output $type:ident) => { UserOut<$type> };
}

macro_rules! outcome {
    (status) => { Result<()> };
    (value $type:ident) => { $type };
    (nothing) => { () };
    (never) => { () };
}

macro_rules! answer {
    ($recorder:ident status) => {
        $recorder.answer
    };
    ($recorder:ident value $type:ident) => {
        $type::MAX
    };
    ($recorder:ident nothing) => {
        ()
    };
    ($recorder:ident never) => {
        ()
    };
}

macro_rules! recorder {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident $stub:ident($($argument:ident: $kind:ident $type:ident),* $(,)?)
            -> $result:ident $($value:ident)?;
    )*) => {
        impl SystemCalls for Recorder {
            $(fn $name(&self, $($argument: argument!($kind $type)),*) -> outcome!($result $($value)?) {
                let arguments: &[&dyn Debug] = &[$(&$argument),*];
                let words = arguments.iter().map(|argument| format!(" {argument:?}"));
                self.seen.replace([stringify!($name).into()].into_iter().chain(words).collect());
                answer!(self $result $($value)?)
            })*
        }
    };
}

crate::for_each_system_call!(recorder);

fn call(answer: Result<()>, number: usize, registers: [usize; 8]) -> (usize, String) {
    let recorder = Recorder {
        answer,
        seen: RefCell::default(),
    };
    let result = dispatch(&recorder, number, &registers);
    (result, recorder.seen.into_inner())
}

#[test]
fn every_number_reaches_the_call_of_its_name() {
    for system_call in SystemCall::ALL {
        let (_, seen) = call(Ok(()), system_call.number(), [0; 8]);
        assert_eq!(seen.split(' ').next(), Some(system_call.name()));
    }
}

#[test]
fn a_number_beyond_the_table_is_refused_and_calls_nothing() {
    let bad = Status::BAD_SYSCALL.into_raw() as isize as usize;
    for number in [SystemCall::COUNT, 1 << 32, usize::MAX] {
        assert_eq!(call(Ok(()), number, [0; 8]), (bad, String::new()));
    }
}

#[test]
fn narrow_arguments_take_the_low_half_and_wide_ones_everything() {
    let high = 0xdead_beef_0000_0000;
    let registers = [
        high | 3,
        high | 1,
        high | 2,
        high | 7,
        high | 4,
        high | 5,
        high | 6,
        9,
    ];
    let (_, seen) = call(Ok(()), SystemCall::vmar_map.number(), registers);
    assert_eq!(
        seen,
        "vmar_map HandleValue(3) VmOptions(PERM_READ) 16045690981097406466 HandleValue(7) \
         16045690981097406468 16045690981097406469 UserOut(0xdeadbeef00000006)"
    );
}

#[test]
fn results_fill_the_whole_register() {
    let close = SystemCall::handle_close.number();
    assert_eq!(call(Ok(()), close, [0; 8]).0, 0);
    assert_eq!(call(Err(Status::INTERNAL), close, [0; 8]).0, usize::MAX);
    let clock = SystemCall::clock_get_monotonic.number();
    assert_eq!(call(Ok(()), clock, [0; 8]).0, i64::MAX as usize);
    let cpus = SystemCall::system_get_num_cpus.number();
    assert_eq!(call(Ok(()), cpus, [0; 8]).0, u32::MAX as usize);
}
