/* SPDX-License-Identifier: MIT */
/* The control port, docs/control.md. */
#include <stdio.h>

#include "console_driver.h"
#include "dmfs.h"
#include "json.h"

static int setup(void **state)
{
	char options[] = "terminal=dumb";

	fake_board_reset();
	fake_capsule("linux", DIOSIX_GUEST);
	fake_capsule("other", DIOSIX_GUEST);
	begin(options);
	fake.answers_len = 0;
	return 0;
}

static const char *answers(void)
{
	fake.answers[fake.answers_len] = '\0';
	fake.answers_len = 0;
	return fake.answers;
}

static const char *ask(const char *request)
{
	fake_request(request);
	turn();
	return answers();
}

static void requests_are_answered(void **state)
{
	assert_string_equal(ask("{\"id\": 5, \"command\": \"hello\"}"),
			    "{\"id\": 5, \"ok\": true, \"result\": {\"diosix\": \"1.2.3\", \"protocol\": 1, \"board\": \"test-board\"}}\n");
	assert_non_null(strstr(ask("{\"id\":6,\"command\":\"list\"}"),
			       "{\"name\": \"linux\", \"kind\": \"guest\", \"state\": \"running\", \"cpus\": 2, \"priority\": \"normal\", "
			       "\"memory\": 67108864, \"restarts\": 0, \"uptime_us\": 1000000, \"last_end\": \"none\", \"crash\": \"\"}"));
	assert_non_null(strstr(ask("{\"command\":\"stats\"}"),
			       "{\"id\": 0, \"ok\": true, \"result\": {\"board\": {\"harts\": 4, \"isolation\": \"gstage\""));
	assert_string_equal(ask("{\"command\":\"image\"}"),
			    "{\"id\": 0, \"ok\": true, \"result\": {\"name\": \"demo\", \"version\": \"2.0\", \"rollback\": 7, "
			    "\"keys\": [\"abababababababab\"]}}\n");
	assert_string_equal(ask("{\"command\":\"permissions\",\"capsule\":\"console\"}"),
			    "{\"id\": 0, \"ok\": true, \"result\": [\"service_console\"]}\n");
}

static void a_wrong_name_gets_a_suggestion(void **state)
{
	assert_string_equal(ask("{\"id\": 2, \"command\": \"kill\", \"capsule\": \"linxu\"}"),
			    "{\"id\": 2, \"ok\": false, \"error\": \"there is no capsule 'linxu'; did you mean 'linux'?\"}\n");
}

static void changes_of_state_are_events(void **state)
{
	assert_string_equal(ask("{\"id\": 1, \"command\": \"kill\", \"capsule\": \"linux\"}"),
			    "{\"event\": \"state\", \"capsule\": \"linux\", \"state\": \"stopped\"}\n"
			    "{\"id\": 1, \"ok\": true, \"result\": {\"state\": \"stopped\"}}\n");
}

static void stop_answers_when_it_has_stopped(void **state)
{
	fake.capsules[1].stubborn = true;
	assert_string_equal(ask("{\"id\": 3, \"command\": \"stop\", \"capsule\": \"linux\", \"timeout_ms\": 500}"), "");
	assert_non_null(strstr(ask("{\"id\": 4, \"command\": \"stop\", \"capsule\": \"other\"}"),
			       "{\"id\": 4, \"ok\": true, \"result\": {\"state\": \"stopped\", \"how\": \"asked\"}}\n"));
	later(500000);
	assert_non_null(strstr(answers(), "{\"id\": 3, \"ok\": true, \"result\": {\"state\": \"stopped\", \"how\": \"killed\"}}\n"));
}

static void one_stop_of_a_capsule_at_a_time(void **state)
{
	fake.capsules[1].stubborn = true;
	ask("{\"id\": 3, \"command\": \"stop\", \"capsule\": \"linux\", \"timeout_ms\": 500}");
	assert_string_equal(ask("{\"id\": 4, \"command\": \"stop\", \"capsule\": \"linux\"}"),
			    "{\"id\": 4, \"ok\": false, \"error\": \"linux is asked to stop already; 'kill' ends it at once\"}\n");
	later(500000);
	assert_non_null(strstr(answers(), "{\"id\": 3, \"ok\": true"));
	ask("{\"command\": \"start\", \"capsule\": \"linux\"}");
	assert_string_equal(ask("{\"id\": 5, \"command\": \"stop\", \"capsule\": \"linux\"}"), "");
}

static void what_ends_the_service_itself_is_answered_first(void **state)
{
	const struct diosix_capsule_info *console = &fake.capsules[0].info;

	fake.capsules[0].info.permissions = 1 << DMFS_PERM_CAPSULE_STOP;
	fake.answers_takes = 10;
	fake_request("{\"id\": 7, \"command\": \"kill\", \"capsule\": \"console\"}");
	turn();
	assert_int_equal(console->state, DIOSIX_STATE_RUNNING);
	fake.answers_takes = sizeof(fake.answers);
	turn();
	assert_int_equal(console->state, DIOSIX_STATE_STOPPED);
	assert_non_null(strstr(answers(), "{\"id\": 7, \"ok\": true, \"result\": {\"state\": \"stopping\"}}\n"));
}

static void who_attaches_gets_output(void **state)
{
	fake_print(1, "before\r\n");
	turn();
	assert_string_equal(ask("{\"id\": 1, \"command\": \"attach\", \"capsule\": \"linux\"}"),
			    "{\"id\": 1, \"ok\": true, \"result\": {\"data\": \"before\\u000d\\n\"}}\n");
	fake_print(1, "\x01\xe4\"");
	fake.capsules[1].dropped = 9;
	turn();
	assert_string_equal(answers(),
			    "{\"event\": \"output\", \"capsule\": \"linux\", \"data\": \"\\u0001\xc3\xa4\\\"\", \"dropped\": 9}\n");
	ask("{\"command\": \"detach\", \"capsule\": \"linux\"}");
	fake_print(1, "after");
	turn();
	assert_string_equal(answers(), "");
}

static void input_is_bytes(void **state)
{
	assert_string_equal(ask("{\"id\": 1, \"command\": \"input\", \"capsule\": \"linux\", \"data\": \"a\\u00e4\\u0003\xc3\xa4\\r\"}"),
			    "{\"id\": 1, \"ok\": true, \"result\": {\"taken\": 5}}\n");
	assert_string_equal(fed(1), "a\xe4\x03\xe4\r");
	assert_non_null(strstr(ask("{\"command\": \"input\", \"capsule\": \"linux\", \"data\": \"\\u0100\"}"), "beyond U+00FF"));
	fake.capsules[1].takes = 2;
	assert_non_null(strstr(ask("{\"command\": \"input\", \"capsule\": \"linux\", \"data\": \"abc\"}"), "{\"taken\": 2}"));
}

static void the_log_can_be_followed(void **state)
{
	fake_log(DIOSIX_LOG_INFO, "first");
	turn();
	assert_string_equal(ask("{\"id\": 1, \"command\": \"log\", \"follow\": true}"),
			    "{\"id\": 1, \"ok\": true, \"result\": {\"lines\": [{\"seq\": 1, \"time_us\": 1000000, \"level\": \"info\", "
			    "\"text\": \"first\"}], \"next\": 2}}\n");
	fake_log(DIOSIX_LOG_ERROR, "second");
	turn();
	assert_string_equal(answers(), "{\"event\": \"log\", \"seq\": 2, \"time_us\": 2000000, \"level\": \"error\", \"text\": \"second\"}\n");
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"nonsense", "a request is an object"},
		{"{\"command\": \"list\"", "closing brace"},
		{"{\"command\": \"list\"} x", "something follows"},
		{"{\"command\": {}}", "no objects"},
		{"{\"command\": \"li\\qst\"}", "an escape that there is not"},
		{"{\"command\": \"\\ud800\"}", "surrogates"},
		{"{\"command\": \"\xff\"}", "not UTF-8"},
		{"{\"command\": \"list\", \"id\": 1.5}", "whole"},
		{"{\"command\": \"list\", \"id\": -1}", "whole"},
		{"{\"command\": \"list\", \"id\": 99999999999999999999999}", "too large"},
		{"{\"command\": \"list\", \"command\": \"stats\"}", "there twice"},
		{"{\"command\": 5}", "'command' is missing, or no string"},
		{"{\"command\": \"fly\"}", "there is no command 'fly'"},
		{"{\"command\": \"kill\"}", "'capsule' is missing"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *said = ask(bad[i].line);

		assert_non_null(strstr(said, "\"ok\": false"));
		if (!strstr(said, bad[i].why))
			fail_msg("%s: %s", bad[i].line, said);
	}
}

static void an_overlong_line_is_refused_and_the_next_is_not(void **state)
{
	static char line[6000];

	memset(line, 'x', sizeof(line) - 1);
	assert_non_null(strstr(ask(line), "{\"id\": 0, \"ok\": false, \"error\": \"a request is at most 4096 bytes long\"}"));
	assert_non_null(strstr(ask("{\"id\": 1, \"command\": \"hello\"}"), "\"ok\": true"));
}

static void a_slow_reader_loses_events_and_no_answers(void **state)
{
	unsigned count = 0;

	ask("{\"id\": 1, \"command\": \"attach\", \"capsule\": \"linux\"}");
	fake.answers_takes = 0;
	for (unsigned i = 0; i < 2000; i++) {
		fake_print(1, "a line of output that goes on and on\n");
		ui_turn(&ui, ALL_EVENTS, now_us);
	}
	for (unsigned i = 0; i < 100; i++)
		fake_request("{\"id\": 7, \"command\": \"list\"}");
	ui_turn(&ui, ALL_EVENTS, now_us);
	fake.answers_takes = SIZE_MAX;
	turn();
	fake_print(1, "x");
	turn();
	answers();
	for (const char *at = fake.answers; (at = strstr(at, "\"id\": 7, \"ok\": true")) != NULL; at++)
		count++;
	assert_int_equal(count, 100);
	assert_non_null(strstr(fake.answers, "{\"event\": \"lost\", \"events\": "));
	assert_non_null(strstr(fake.answers, "\"data\": \"x\", \"dropped\": "));
}

static void a_missing_permission_is_named(void **state)
{
	fake.denied = 1ull << DIOSIX_CALL_CAPSULE_STATS | 1ull << DIOSIX_CALL_BOARD_INFO;
	assert_non_null(strstr(ask("{\"command\": \"stats\"}"), "it lacks the permission 'hv_stats_read'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(requests_are_answered, setup),
		cmocka_unit_test_setup(a_wrong_name_gets_a_suggestion, setup),
		cmocka_unit_test_setup(changes_of_state_are_events, setup),
		cmocka_unit_test_setup(stop_answers_when_it_has_stopped, setup),
		cmocka_unit_test_setup(one_stop_of_a_capsule_at_a_time, setup),
		cmocka_unit_test_setup(what_ends_the_service_itself_is_answered_first, setup),
		cmocka_unit_test_setup(who_attaches_gets_output, setup),
		cmocka_unit_test_setup(input_is_bytes, setup),
		cmocka_unit_test_setup(the_log_can_be_followed, setup),
		cmocka_unit_test_setup(what_is_no_request_is_refused, setup),
		cmocka_unit_test_setup(an_overlong_line_is_refused_and_the_next_is_not, setup),
		cmocka_unit_test_setup(a_slow_reader_loses_events_and_no_answers, setup),
		cmocka_unit_test_setup(a_missing_permission_is_named, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
