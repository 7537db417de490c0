// SPDX-License-Identifier: Apache-2.0
//
// An OTLP receiver that keeps every body as it came.
//
// A request to /NAME/v1/SIGNAL becomes the file NAME-SIGNAL-NN.pb or .json, unpacked if it was
// compressed.  The first request to each path in `refuseOnce` is answered 503, so that its exporter
// sends it again; that attempt is kept as ...-again, since a receiver cannot know whether a request
// whose answer was lost is sent once more.

import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const kinds = new Map([
    ['application/x-protobuf', { end: 'pb', answer: Buffer.alloc(0) }],
    ['application/json', { end: 'json', answer: Buffer.from('{}') }],
]);

export class Receiver {
    files = [];
    problems = [];
    compressed = 0;
    #directory;
    #refuse;
    #counts = new Map();
    #server = createServer((request, response) => this.#take(request, response));

    constructor(directory, refuseOnce) {
        this.#directory = directory;
        this.#refuse = new Set(refuseOnce);
    }

    // The address that exporters send to.
    async start() {
        await new Promise((resolve, reject) => {
            this.#server.once('error', reject);
            this.#server.listen(0, '127.0.0.1', resolve);
        });
        return `http://127.0.0.1:${this.#server.address().port}`;
    }

    async stop() {
        this.#server.closeAllConnections();
        await new Promise(resolve => this.#server.close(resolve));
    }

    #keep(name, body) {
        writeFileSync(join(this.#directory, name), body);
        this.files.push(name);
        const earlier = name.replace(/(-again)?\./, '-again.');
        if (
            earlier !== name &&
            this.files.includes(earlier) &&
            !readFileSync(join(this.#directory, earlier)).equals(body)
        )
            this.problems.push(`${name} is not what was sent before`);
    }

    #take(request, response) {
        const parts = [];
        request.on('data', part => parts.push(part));
        request.on('error', error => this.problems.push(`${request.url}: ${error.message}`));
        request.on('end', () => {
            try {
                this.#answer(request, Buffer.concat(parts), response);
            } catch (error) {
                this.problems.push(`${request.url}: ${error.message}`);
                response.writeHead(400).end();
            }
        });
    }

    #answer(request, sent, response) {
        const path = /^\/([a-z-]+)\/v1\/(metrics|logs|traces)$/.exec(request.url);
        const kind = kinds.get(request.headers['content-type']);
        if (request.method !== 'POST' || !path || !kind)
            throw new Error(`${request.method} of ${request.headers['content-type']}`);
        const packed = request.headers['content-encoding'] === 'gzip';
        const body = packed ? gunzipSync(sent) : sent;
        this.compressed += packed;

        const stem = `${path[1]}-${path[2]}`;
        const refuse = this.#refuse.delete(`${request.url} ${kind.end}`);
        const counter = `${stem}.${kind.end}`;
        const count = (this.#counts.get(counter) ?? 0) + 1;
        const number = String(count).padStart(2, '0');
        if (!refuse) this.#counts.set(counter, count);
        this.#keep(`${stem}-${number}${refuse ? '-again' : ''}.${kind.end}`, body);
        if (refuse) response.writeHead(503, { 'retry-after': '1' }).end();
        else
            response
                .writeHead(200, { 'content-type': request.headers['content-type'] })
                .end(kind.answer);
    }
}
