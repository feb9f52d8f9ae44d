%% How does a case's record read for the other side? As JSON, with pids as names and reasons as short texts.
-module(differential_text).

-export([of_run/2, of_failure/3]).

of_run(Number, #{records := Records, events := Events, longest := LongestMs}) ->
    object([{"number", integer_to_list(Number)},
            {"longestMs", integer_to_list(LongestMs)},
            {"records", list([record(Record) || Record <- Records])},
            {"events", list([event(Event) || Event <- Events, is_told(Event)])}]).

of_failure(Number, Error, Stack) ->
    object([{"number", integer_to_list(Number)},
            {"failure", text(io_lib:format("~0p ~0p", [Error, Stack]))}]).

%% The runner and its callers are no part of the tree.
is_told({exit, stranger, _}) -> false;
is_told(_) -> true.

event(mark) -> list([text("mark")]);
event({start, Path, N, What}) -> list([text("start"), text(path(Path)), integer_to_list(N), text(What)]);
event({exit, {Path, N}, Reason}) ->
    list([text("exit"), text(path(Path)), integer_to_list(N), text(reason(Reason))]).

record({Results, Snapshot}) ->
    object([{"results", list([list([text(Word) || Word <- result(Result)]) || Result <- Results])},
            {"snapshot", list([text(seen(Seen)) || Seen <- Snapshot])}]).

seen({stuck, Names}) -> ["stuck: ", lists:join(" ", [name(Name) || Name <- Names])];
seen({at, Name, Which, Count}) ->
    lists:join(" ", [name(Name), lists:join(" ", result(Which)), lists:join(" ", result(Count))]).

result(Word) when is_atom(Word) -> [Word];
result({ok, Name}) -> ["ok", name(Name)];
result({already_started, Name}) -> ["already_started", name(Name)];
result({failed, Reason}) -> ["failed", reason(Reason)];
result({refused, Mistake}) -> ["refused", Mistake];
result({error, Refusal}) -> ["error", Refusal];
result({spec, Options}) ->
    ["spec" | [io_lib:format("~s=~w", [Key, Value]) || {Key, Value} <- lists:sort(Options)]];
result({which, Children}) ->
    ["which" | [io_lib:format("~s:~s:~s", [Id, name(Child), Type]) || {Id, Child, Type} <- Children]];
result({count, Counts}) ->
    ["count", lists:join("/", [integer_to_list(Count) || Count <- Counts])].

name({Path, N}) -> [path(Path), "#", integer_to_list(N)];
name(Marker) -> atom_to_list(Marker).

path(Path) -> ["/" | lists:join("/", [atom_to_list(Id) || Id <- Path])].

reason(Reason) when Reason =:= normal; Reason =:= shutdown; Reason =:= killed; Reason =:= noproc ->
    atom_to_list(Reason);
reason({shutdown, {failed_to_start_child, Id, Reason}}) ->
    ["failed_to_start_child(", atom_to_list(Id), ", ", reason(Reason), ")"];
reason({shutdown, Detail}) -> ["shutdown(", atom_to_list(Detail), ")"];
reason({start_spec, {Mistake, _}}) -> ["bad_spec(", atom_to_list(Mistake), ")"];
reason(Error) when is_atom(Error) -> ["error(", atom_to_list(Error), ")"];
reason(Other) -> io_lib:format("~0p", [Other]).

object(Pairs) -> [${, lists:join($,, [[text(Key), $:, Value] || {Key, Value} <- Pairs]), $}].

list(Values) -> [$[, lists:join($,, Values), $]].

text(Atom) when is_atom(Atom) -> text(atom_to_list(Atom));
text(Chars) -> [$", [escaped(Char) || Char <- unicode:characters_to_list(Chars)], $"].

escaped($") -> "\\\"";
escaped($\\) -> "\\\\";
escaped(Char) when Char < 32; Char > 126 -> io_lib:format("\\u~4.16.0b", [Char]);
escaped(Char) -> Char.
