package pyscan

import "strings"

// What is known of names of other modules. A name that is not listed is not
// guessed at: what it does to a test is undecided.

// wrappers are decorators that leave a test what it is and where it is: the
// same name, and collected once.
var wrappers = set(
	"unittest.skip", "unittest.skipIf", "unittest.skipUnless", "unittest.expectedFailure",
	"unittest.mock.patch", "unittest.mock.patch.object", "unittest.mock.patch.dict", "unittest.mock.patch.multiple",
	"mock.patch", "mock.patch.object", "mock.patch.dict", "mock.patch.multiple",
	"hypothesis.given", "hypothesis.settings", "hypothesis.example", "hypothesis.seed", "hypothesis.reproduce_failure",
	"freezegun.freeze_time", "responses.activate", "moto.mock_aws",
	"typing.no_type_check", "typing.override", "typing.final", "typing.overload",
	"typing_extensions.override", "typing_extensions.final", "abc.abstractmethod",
	"django.test.override_settings", "django.test.tag", "django.test.utils.override_settings",
)

// fixtureMakers are decorators that make a fixture of a function.
var fixtureMakers = set("pytest.fixture", "pytest.yield_fixture", "pytest_asyncio.fixture")

// testCases are the classes from which test cases of unittest derive, and which
// have no tests themselves.
var testCases = set(
	"unittest.TestCase", "unittest.IsolatedAsyncioTestCase", "unittest.case.TestCase",
	"unittest.async_case.IsolatedAsyncioTestCase",
	"django.test.TestCase", "django.test.SimpleTestCase", "django.test.TransactionTestCase",
	"django.test.LiveServerTestCase", "django.test.testcases.TestCase",
	"rest_framework.test.APITestCase", "rest_framework.test.APISimpleTestCase",
	"rest_framework.test.APITransactionTestCase", "rest_framework.test.APILiveServerTestCase",
)

// harmless are names of other modules that look like tests and are none.
var harmless = set(
	"unittest.TestSuite", "unittest.TestLoader", "unittest.TestResult", "unittest.TextTestRunner",
	"fastapi.testclient.TestClient", "starlette.testclient.TestClient", "fastapi.TestClient",
	"aiohttp.test_utils.TestClient", "aiohttp.test_utils.TestServer", "webtest.TestApp", "werkzeug.test.TestResponse",
	"typer.testing.CliRunner", "testfixtures.TempDirectory", "pytest.TestReport", "pytest.Testdir",
	"_pytest.reports.TestReport", "_pytest.pytester.Testdir",
)

// plainBases are classes of other modules that have neither tests nor an
// __init__ or __new__ of their own.
var plainBases = set("abc.ABC", "typing.Generic", "object")

// madeBases are classes whose instances need arguments, or that are made in a
// way of their own: pytest finds __init__ or __new__ and collects nothing.
var madeBases = set(
	"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag",
	"typing.NamedTuple", "typing.TypedDict", "typing_extensions.TypedDict",
	"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "collections.UserDict",
	"threading.Thread", "json.JSONEncoder", "argparse.Action", "argparse.ArgumentParser", "logging.Handler",
	"pydantic.BaseModel",
)

// builtinBases are the built-in classes that have an __init__ or __new__, which
// is all of them but object.
var builtinBases = set(
	"int", "float", "complex", "bool", "str", "bytes", "bytearray", "list", "tuple", "dict", "set", "frozenset", "type",
	"property", "range", "super", "slice",
	"BaseException", "Exception", "ValueError", "TypeError", "RuntimeError", "KeyError", "IndexError", "LookupError",
	"AttributeError", "OSError", "IOError", "ImportError", "AssertionError", "NotImplementedError", "ArithmeticError",
	"StopIteration", "Warning", "UserWarning", "DeprecationWarning", "KeyboardInterrupt", "SystemExit", "EOFError",
	"NameError", "UnicodeError", "TimeoutError", "PermissionError", "FileNotFoundError", "ConnectionError",
)

// builtinFunctions have a __name__ that is their name.
var builtinFunctions = set(
	"abs", "all", "any", "ascii", "bin", "callable", "chr", "divmod", "filter", "format", "hash", "hex", "id", "isinstance",
	"issubclass", "iter", "len", "map", "max", "min", "next", "oct", "open", "ord", "pow", "print", "repr", "reversed",
	"round", "sorted", "sum", "zip", "object", "enumerate",
)

// builtinFixtures come with pytest and have no parameters.
var builtinFixtures = set(
	"cache", "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "capteesys", "config", "doctest_namespace", "linecomp",
	"LineMatcher", "monkeypatch", "pytestconfig", "pytester", "record_property", "record_testsuite_property",
	"record_xml_attribute", "recwarn", "request", "subtests", "testdir", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory",
)

// pluginFixtures come with plugins that many have, and have no parameters.
var pluginFixtures = set(
	"mocker", "class_mocker", "module_mocker", "session_mocker", "benchmark", "requests_mock", "httpx_mock", "respx_mock",
	"event_loop", "faker", "freezer", "db", "transactional_db", "client", "admin_client", "rf", "settings",
	"django_user_model", "live_server", "worker_id", "testrun_uid", "aiohttp_client", "httpserver",
)

// multipliers are marks with which plugins make several cases of one.
var multipliers = set("anyio", "repeat")

// dynamicNames change a namespace behind the back of whoever reads the source.
var dynamicNames = set("globals", "locals", "vars", "exec", "eval", "setattr", "delattr", "__dict__")

// stdlib are modules of the standard library that tests take names from. It is
// known of them that they carry no tests into others; unittest is apart.
var stdlib = set(
	"abc", "argparse", "array", "ast", "asyncio", "base64", "bisect", "builtins", "calendar", "cmath", "codecs",
	"collections", "concurrent", "configparser", "contextlib", "contextvars", "copy", "csv", "ctypes", "dataclasses", "datetime",
	"decimal", "difflib", "email", "enum", "errno", "filecmp", "fnmatch", "fractions", "functools", "gc", "getpass", "glob",
	"gzip", "hashlib", "heapq", "hmac", "html", "http", "importlib", "inspect", "io", "ipaddress", "itertools", "json", "locale",
	"logging", "math", "mimetypes", "multiprocessing", "numbers", "operator", "os", "pathlib", "pickle", "pkgutil", "platform",
	"pprint", "queue", "random", "re", "secrets", "select", "shlex", "shutil", "signal", "socket", "socketserver", "sqlite3", "ssl",
	"stat", "statistics", "string", "struct", "subprocess", "sys", "tarfile", "tempfile", "textwrap", "threading", "time",
	"timeit", "traceback", "types", "typing", "typing_extensions", "unicodedata", "urllib", "uuid", "warnings", "weakref", "xml",
	"zipfile", "zlib", "zoneinfo", "__future__",
)

// set makes a set of names.
func set(names ...string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}

// isStdlib reports whether a dotted name belongs to the standard library.
func isStdlib(path string) bool {
	first, _ := head(path)
	return stdlib[first]
}

// looksLikeTest reports whether a class of another module is called as classes
// with tests are.
func looksLikeTest(path string) bool {
	return strings.Contains(path[strings.LastIndexByte(path, '.')+1:], "Test")
}
