// SPDX-License-Identifier: Apache-2.0
//
// What Claude Code records while somebody works: a prompt, requests to the model, tools, edits, a
// commit, errors, hooks.  Attributes are of the types that it sends them in.

import { randomUUID } from 'node:crypto';

const nano = 1e9;
const opus = { model: 'claude-opus-5-5', query_source: 'main', effort: 'high' };
const haiku = { model: 'claude-haiku-5-5', query_source: 'auxiliary' };
const reviewer = {
    ...opus,
    query_source: 'subagent',
    'agent.name': 'Überprüfer',
    'skill.name': '検査',
};

// tokens in, out, read from and written to the cache; the cost is in nanodollars
function request(code, labels, tokens, cost) {
    for (const [type, count] of Object.entries(tokens))
        if (count) code.count('token.usage', count, { type, ...labels });
    code.count('cost.usage', cost, labels);
}

function requested(code, labels, tokens, cost, span) {
    const { query_source: source, ...rest } = labels;
    request(code, labels, tokens, cost);
    code.emit(
        'api_request',
        {
            ...rest,
            cost_usd: cost / nano,
            cost_usd_micros: Math.round(cost / 1000),
            duration_ms: 4213,
            ttft_ms: 812,
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            cache_read_tokens: tokens.cacheRead,
            cache_creation_tokens: tokens.cacheCreation,
            request_id: `req_011${randomUUID().replaceAll('-', '').slice(0, 20)}`,
            client_request_id: randomUUID(),
            speed: 'normal',
            query_source: source === 'main' ? 'repl_main_thread' : 'generate_session_title',
        },
        span,
    );
}

export function start(code, type) {
    code.count('session.count', 1, { start_type: type });
    code.emit('hook_registered', {
        hook_event: 'PreToolUse',
        hook_type: 'command',
        hook_source: 'userSettings',
        safe_mode: 'false',
    });
    code.emit('mcp_server_connection', {
        status: 'connected',
        transport_type: 'stdio',
        server_scope: 'user',
        duration_ms: '1493',
        is_plugin: false,
    });
    code.emit('mcp_server_connection', {
        status: 'failed',
        transport_type: 'http',
        server_scope: 'project',
        duration_ms: '30000',
        error_code: 'ECONNREFUSED',
        is_plugin: true,
        plugin_id_hash: '9f86d081884c7d65',
    });
    code.emit('auth', {
        action: 'login',
        success: 'false',
        auth_method: 'oauth',
        status_code: '401',
    });
    code.emit('auth', { action: 'login', success: 'true', auth_method: 'oauth' });
}

function tool(code, name, success, sizes, more, span) {
    const id = `toolu_01${randomUUID().slice(0, 8)}`;
    code.emit(
        'tool_decision',
        {
            tool_name: name,
            tool_use_id: id,
            decision: 'accept',
            source: 'config',
            tool_source: 'builtin',
        },
        span,
    );
    code.emit(
        'tool_result',
        {
            tool_name: name,
            tool_use_id: id,
            success: String(success),
            duration_ms: String(sizes[0]),
            tool_input_size_bytes: String(sizes[1]),
            tool_result_size_bytes: String(sizes[2]),
            ...more,
        },
        span,
    );
    return id;
}

// Little, and of few series: what goes on while nobody looks.
export function tick(code, number) {
    request(code, haiku, { input: 10 * number, output: number }, 1000001 * number);
    code.count('active_time.total', 500000000 + number, { type: 'cli' });
}

// One prompt from its text to its last token.
export async function turn(code, number) {
    const prompt = randomUUID();
    const text = `canary prompt ${number} of ${prompt}`;
    code.prompted(prompt);
    code.emit('user_prompt', {
        prompt_length: String(text.length),
        prompt: text,
        prompt_text: text,
        'message.uuid': randomUUID(),
        'workspace.host_paths': ['/home/dev/a "b"', 'C:\\src\\ü'],
    });
    code.count('active_time.total', 1250000000 * number, { type: 'user' });
    const spoken = {
        user_prompt: '<REDACTED>',
        user_prompt_length: text.length,
        'interaction.sequence': number,
    };
    await code.span('interaction', null, spoken, async interaction => {
        await code.span(
            'llm_request',
            interaction,
            { model: opus.model, 'gen_ai.system': 'anthropic' },
            async span => {
                requested(
                    code,
                    opus,
                    { input: 9, output: 2067, cacheRead: 168193, cacheCreation: 17761 },
                    246822750,
                    span,
                );
                return {
                    duration_ms: 4213,
                    ttft_ms: 812,
                    input_tokens: 9,
                    output_tokens: 2067,
                    attempt: 1,
                    success: true,
                    'gen_ai.response.finish_reasons': ['tool_use'],
                };
            },
        );
        await code.span('tool', interaction, { tool_name: 'Bash' }, async span => {
            await code.span('tool.blocked_on_user', span, {}, () => ({
                duration_ms: 5,
                decision: 'accept',
                source: 'config',
            }));
            await code.span('tool.execution', span, {}, inner => {
                const output = { output: 'canary output', result_length: 13 };
                const error = 'exit 1: cat /canary/command';
                code.note(inner, 'tool.execution', 'tool.output', output);
                tool(code, 'Bash', false, [62, 118, 0], { error_type: 'Error', error }, span);
                return { duration_ms: 62, success: false, error };
            });
            return { duration_ms: 71 };
        });
        tool(
            code,
            'Edit',
            true,
            [14, 5120, 733],
            {
                decision_type: 'accept',
                decision_source: 'config',
                tool_input: JSON.stringify({ file_path: '/canary/input', old_string: 'a' }),
                tool_parameters: '{"canary":"parameters"}',
            },
            interaction,
        );
        return { 'interaction.duration_ms': 4290 };
    });
    code.count('code_edit_tool.decision', 1, {
        tool_name: 'Edit',
        decision: 'accept',
        source: 'config',
        language: 'TypeScript',
    });
    code.count('lines_of_code.count', 40 + number, { type: 'added', model: opus.model });
    code.count('lines_of_code.count', 7, { type: 'removed', model: opus.model });
    code.count('active_time.total', 2174000001, { type: 'cli' });
}

// What happens now and then.
export function rest(code) {
    requested(code, haiku, { input: 413, output: 18, cacheRead: 0, cacheCreation: 0 }, 477000);
    // A whole dollar is no fraction to the SDK, which then sends an integer.
    requested(
        code,
        reviewer,
        { input: 2, output: 16, cacheRead: 7276, cacheCreation: 11590 },
        1000000000,
    );
    requested(
        code,
        { ...opus, speed: 'fast' },
        { input: 1, output: 5000000000, cacheRead: 0, cacheCreation: 0 },
        1,
    );
    code.emit('api_error', {
        model: opus.model,
        error: 'Overloaded',
        status_code: 529,
        duration_ms: 30007,
        attempt: 11,
        speed: 'normal',
        query_source: 'repl_main_thread',
    });
    code.emit('api_error', {
        model: opus.model,
        // Cut within a character, as happens to texts of limited length.
        error: 'Connection error: "no\\route"\n\tat line 1 \u2028 🙂🙂'.slice(0, -1),
        duration_ms: 12,
        attempt: 11,
        speed: 'normal',
        query_source: 'repl_main_thread',
    });
    code.emit('permission_mode_changed', {
        from_mode: 'default',
        to_mode: 'plan',
        trigger: 'shift_tab',
    });
    code.emit('at_mention', { mention_type: 'file', success: 'true' });
    code.emit('compaction', {
        trigger: 'auto',
        success: 'true',
        duration_ms: 9120,
        pre_tokens: 180000,
        post_tokens: 21000,
    });
    code.emit('hook_execution_start', {
        hook_event: 'PreToolUse',
        hook_name: 'PreToolUse:Bash',
        num_hooks: '2',
        managed_only: 'false',
        hook_source: 'merged',
    });
    code.emit('hook_execution_complete', {
        hook_event: 'PreToolUse',
        hook_name: 'PreToolUse:Bash',
        num_hooks: '2',
        managed_only: 'false',
        hook_source: 'merged',
        num_success: '1',
        num_blocking: '0',
        num_non_blocking_error: '1',
        num_cancelled: '0',
        total_duration_ms: '231',
    });
    code.emit('hook_plugin_metrics', {
        plugin_id: 'linter@market',
        hook_event: 'Stop',
        files: 3,
        score: 0.1,
        clean: true,
        drift: -12,
    });
    code.emit('managed_settings_resolved', {
        'managed_settings.trigger': 'startup',
        'managed_settings.sources': ['file', 'mdm'],
        'managed_settings.settings_truncated': false,
    });
    code.count('commit.count', 1);
    code.count('pull_request.count', 1);
    code.count('code_edit_tool.decision', 1, {
        tool_name: 'Write',
        decision: 'reject',
        source: 'user_reject',
        language: 'unknown',
    });
}
