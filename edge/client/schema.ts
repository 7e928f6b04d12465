/** The API as types, made from its OpenAPI document by `npm run api:generate`. Not to be edited, nor merged by hand: make it anew. */

export interface paths {
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The audit log, the newest first
         * @description For admins.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Only what this account did */
                    actor?: string;
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                    /** @description Only what was done to this */
                    target?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Entries */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["AuditEntry"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with the code of a login link
         * @description The code is what stands behind `#login=` in the link that `npm start` and `streamforge login-link` print.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["LoginCode"];
                };
            };
            responses: {
                /** @description A session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["SignedIn"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link that signs in once
         * @description For admins.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewLoginLink"];
                };
            };
            responses: {
                /** @description The code, for `#login=` behind the address of the dashboard */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                code: string;
                                /** @description Seconds */
                                expires_in: number;
                                /** @enum {string} */
                                role: "viewer" | "operator" | "admin";
                            };
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in with user name and password */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Login"];
                };
            };
            responses: {
                /** @description A session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["SignedIn"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a session
         * @description Its refresh token no longer holds; an access token holds until it ends by itself.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Refresh"];
                };
            };
            responses: {
                /** @description It has ended, or had already */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whose token this is
         * @description For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The account */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @enum {string} */
                                role: "viewer" | "operator" | "admin";
                                username: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go on with a session
         * @description A refresh token is good for one exchange and gives the next. One that comes a second time was copied: then the whole session is ended. The role is what the account has by now.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Refresh"];
                };
            };
            responses: {
                /** @description The session goes on */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["SignedIn"];
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letter-replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try dead letters again, and bring back those that can be read
         * @description A letter that was replayed is not replayed again, and an event that is in the results already is a duplicate. Without `fix` the present decoder tries: that is enough where a schema was registered meanwhile. With `dry_run` nothing is changed. For operators and admins.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DeadLetterReplay"];
                };
            };
            responses: {
                /** @description What went back */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ReplayReport"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Dead letters, newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description A group, as `GET /dead-letters/causes` names it */
                    group?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DeadLetter"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One dead letter: why it died, its bytes, its trace
         * @description For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description <topic>:<partition>:<offset> */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The letter */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DeadLetterDetail"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/causes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What died of what
         * @description Records that no reader could apply, grouped by where they came from and what they died of. Of each topic the newest 50,000 are looked at; `streamforge dlq list` looks at all. For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Most letters first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DeadLetterCause"][];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send clickstream events
         * @description One object, an array, or NDJSON; gzip, deflate and br are understood. An answer of 202 means that the accepted events are durable; every other event has a verdict. The same `event_id` within ten minutes is a duplicate, so a request can safely be sent again. A single object that is refused is answered with 422. At most 500 events and 1 MB (5 MB decompressed) in a request, 32 KB an event. NDJSON is taken as it arrives, 500 lines at a time: up to 100000 lines, 64 MB decompressed and 25 seconds; where it ends earlier than its body, `stopped` says at which line. With an Idempotency-Key a request is read whole, and the same body under the same key gets the same answer for an hour from the same edge process; another process, or one that was started anew, tells its events apart by their ids. 429 is the quota of the write key, 503 is pressure; both say when to come back. A page whose origin the key does not allow gets 403.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Up to 200 visible ASCII characters, e.g. a UUID */
                    "idempotency-key"?: string;
                    /** @description W3C trace context; travels with the events */
                    traceparent?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ClickstreamEvent"] | components["schemas"]["ClickstreamEvent"][];
                    "application/x-ndjson": string;
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of each event */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ArrivingResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                /** @description The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                422: components["responses"]["Unprocessable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events/{event_id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What became of an event: accepted, applied by which jobs, late, duplicate, dead letter, in which snapshot of the lake
         * @description Ids have no index: the end of the log is read, and one column of the lake. `type` and `at` make that less. An event that was refused is not here; the answer to the request that brought it said why. For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description About when it happened: of the lake only a day before and after are then looked at */
                    at?: string;
                    /** @description What it is; all are looked through when missing */
                    type?: "event" | "order" | "trip";
                };
                header?: never;
                path: {
                    /** @description event_id, order_id or trip_id */
                    event_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is known of it */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["EventStatus"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/features/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A user's features, windows summed at a moment
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The moment that windows reach back from; now when missing */
                    as_of?: string;
                };
                header?: never;
                path: {
                    /** @description user_id, or the anonymous_id of who has none */
                    user_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The features */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["UserFeatures"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fraud-alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Fraud alerts, newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description Start of the range, inclusive */
                    from?: string;
                    limit?: number;
                    /** @description What people made of it; `open`: nothing yet */
                    review?: "open" | "confirmed" | "dismissed";
                    /** @description Only of this rule */
                    rule_id?: string;
                    state?: "active" | "superseded";
                    /** @description End of the range, exclusive */
                    to?: string;
                    /** @description Only of this user */
                    user_id?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["FraudAlert"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fraud-alerts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One alert: why it fired, by which rule, when what happened, and what people made of it
         * @description For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description alert_id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The alert */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["FraudAlertDetail"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fraud-alerts/{id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Why it fired, and whether it would have with other orders
         * @description The job's own code runs over the evidence and the user's orders around it, with the changes: an order that replaces one which is taken away is found. Without changes it says why the alert fired. For every account.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description alert_id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["WhatIf"];
                };
            };
            responses: {
                /** @description The answer */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Explained"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                422: components["responses"]["Unprocessable"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fraud-alerts/{id}/review": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm an alert, dismiss it, or open it again
         * @description Every review is kept with its note; the last one decides the state. For operators and admins.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description alert_id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AlertReview"];
                };
            };
            responses: {
                /** @description The alert with the review */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["FraudAlertDetail"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the edge up */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** @enum {string} */
                                status: "ok";
                                uptime_seconds: number;
                                version: string;
                            };
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/pipelines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the data flowing: each task with its lag and watermark, each batch workflow with its runs */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Every task moves, or has nothing to do */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                lag: number;
                                /**
                                 * Format: date-time
                                 * @description When this was last copied from Temporal; null where no worker has run yet
                                 */
                                mirrored_at: string | null;
                                pipelines: components["schemas"]["Pipeline"][];
                                /** @description Why it is degraded */
                                problems: string[];
                                /**
                                 * @description `degraded`: the streams move, but a scheduled workflow has failed or is overdue, or the workers are silent
                                 * @enum {string}
                                 */
                                status: "ok" | "starting" | "degraded";
                                workflows: components["schemas"]["Workflow"][];
                            };
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a client must know: defaults of its settings, and which operations there are
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        get: {
            parameters: {
                query?: {
                    /** @description The catalog's name, or where its tables are */
                    warehouse?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What a client must know: defaults of its settings, and which operations there are */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/namespaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Namespaces at the top, or below a parent
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        get: {
            parameters: {
                query?: {
                    /** @description 1 to 10000 */
                    pageSize?: string;
                    /** @description Of the page before; empty for the first. Missing: everything at once */
                    pageToken?: string;
                    /** @description Levels joined by U+001F */
                    parent?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Namespaces at the top, or below a parent */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Make a namespace
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Make a namespace */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description It exists already, is not empty, or was changed by another meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/namespaces/{namespace}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Properties of a namespace
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml HEAD tells whether it exists.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    namespace: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Properties of a namespace */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * Drop an empty namespace
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    namespace: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Drop an empty namespace */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description It exists already, is not empty, or was changed by another meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/namespaces/{namespace}/properties": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set and remove properties of a namespace
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    namespace: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Set and remove properties of a namespace */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The request can not be done */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/namespaces/{namespace}/tables": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tables of a namespace
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        get: {
            parameters: {
                query?: {
                    /** @description 1 to 10000 */
                    pageSize?: string;
                    /** @description Of the page before; empty for the first. Missing: everything at once */
                    pageToken?: string;
                };
                header?: never;
                path: {
                    namespace: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Tables of a namespace */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Make a table, or stage one that its first commit makes
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    namespace: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Make a table, or stage one that its first commit makes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description It exists already, is not empty, or was changed by another meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/namespaces/{namespace}/tables/{table}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A table's metadata
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml HEAD tells whether it exists.
         */
        get: {
            parameters: {
                query?: {
                    /** @description refs: heads of branches and tags only */
                    snapshots?: "all" | "refs";
                };
                header?: never;
                path: {
                    namespace: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A table's metadata */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Commit updates to a table, if its requirements hold
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    namespace: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Commit updates to a table, if its requirements hold */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description It exists already, is not empty, or was changed by another meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        /**
         * Drop a table; its files stay unless they are to be purged
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        delete: {
            parameters: {
                query?: {
                    /** @description true: its files are removed */
                    purgeRequested?: string;
                };
                header?: never;
                path: {
                    namespace: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Drop a table; its files stay unless they are to be purged */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/namespaces/{namespace}/tables/{table}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reports of scans and commits: taken, and not kept
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    namespace: string;
                    table: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Reports of scans and commits: taken, and not kept */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/oauth/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * An access token for user name and password (client_credentials), or for one that came from here (token exchange)
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/x-www-form-urlencoded": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description An access token for user name and password (client_credentials), or for one that came from here (token exchange) */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description Too many attempts to sign in */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/tables/rename": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rename a table, also into another namespace
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Rename a table, also into another namespace */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description It exists already, is not empty, or was changed by another meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/iceberg/v1/transactions/commit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Commit updates to several tables, all or none
         * @description The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Commit updates to several tables, all or none */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description The request is not valid; the message names what */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token is missing or not valid */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description The token's role is not enough */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description No such namespace or table */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description It exists already, is not empty, or was changed by another meanwhile */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
                /** @description A store is not available; nothing was committed */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["IcebergError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything the dashboard shows, once a second, and each alert that is new or has changed
         * @description Server-sent events, each with JSON as its data:
         *
         *     - `snapshot`: what the dashboard shows, whole in itself, once a second. Clients that are slow miss some.
         *     - `alert`: an alert that is new or has changed, as `GET /fraud-alerts` has it. In the order of the changes; none is left out.
         *     - `pipeline`: how tasks and workflows are, at first and when one changes its state.
         *     - `problem`: the results can not be read at the moment; the stream goes on by itself.
         *     - `reset`: too much has changed since the id that was given, or it is not known here. Read `/fraud-alerts` anew.
         *     - `bye`: the stream ends. `reason` is `token_expired` (come back with a new token) or `stopping`.
         *
         *     Every event has an id. Given back as `Last-Event-ID`, or `last_event_id` in the query, to any edge of the platform, the stream begins with the alerts that have changed since. Comments are heartbeats. For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Where the header can not be sent */
                    last_event_id?: string;
                    /** @description Some of snapshot, alert, pipeline, with commas between; all when missing */
                    topics?: string;
                };
                header?: {
                    /** @description Of the last event that was received */
                    "last-event-id"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The stream */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics for Prometheus */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Text format */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                400: components["responses"]["BadRequest"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/daily": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The figures of each day
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description First day, UTC; 30 days in all when missing */
                    from?: string;
                    /** @description Last day, UTC, included; the last one that is over when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Days that are published, newest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DailyKpis"][];
                            meta: components["schemas"]["Meta"] & {
                                /** Format: date */
                                from: string;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                /** Format: date */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/daily/conversion_funnel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far the visits of each day went
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description First day, UTC; 30 days in all when missing */
                    from?: string;
                    /** @description Last day, UTC, included; the last one that is over when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest day first, then from visit to purchase */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DailyFunnelStage"][];
                            meta: components["schemas"]["Meta"] & {
                                /** Format: date */
                                from: string;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                /** Format: date */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/daily/revenue_by_category": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Revenue of each day by category and currency
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description First day, UTC; 30 days in all when missing */
                    from?: string;
                    limit?: number;
                    /** @description Last day, UTC, included; the last one that is over when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest day first, then by currency, the category with the most net revenue first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DailyCategory"][];
                            meta: components["schemas"]["Meta"] & {
                                /** Format: date */
                                from: string;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                /** Format: date */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/daily/top_regions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The regions of each day
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description First day, UTC; 30 days in all when missing */
                    from?: string;
                    limit?: number;
                    /** @description Last day, UTC, included; the last one that is over when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest day first, then by place */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["DailyRegion"][];
                            meta: components["schemas"]["Meta"] & {
                                /** Format: date */
                                from: string;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                /** Format: date */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/events_timeseries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events over time, by type
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Width of a point: a number and m, h or d */
                    bucket?: string;
                    /** @description Start of the range, inclusive, by event time; an hour before `to` when missing */
                    from?: string;
                    /** @description End of the range, exclusive; now when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A point per bucket, oldest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["EventsPoint"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Width of a point */
                                bucket: string;
                                /** Format: date-time */
                                from: string;
                                /** Format: date-time */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/funnel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far the sessions that began in a range went
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Start of the range, inclusive, by event time; an hour before `to` when missing */
                    from?: string;
                    /** @description End of the range, exclusive; now when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Every stage, from visit to purchase */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["FunnelStage"][];
                            meta: components["schemas"]["Meta"] & {
                                /** Format: date-time */
                                from: string;
                                /** Format: date-time */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The numbers of a range in one answer
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description previous: with the figures of the range of the same length that ends where this one begins */
                    compare?: "previous";
                    /** @description Start of the range, inclusive, by event time; an hour before `to` when missing */
                    from?: string;
                    /** @description End of the range, exclusive; now when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Totals of the range, the last hour when none is given */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Overview"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/region/{region_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Trips of a region, all time when no range is given
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description Start of the range, inclusive */
                    from?: string;
                    limit?: number;
                    /** @description End of the range, exclusive */
                    to?: string;
                    window?: "1m" | "5m" | "1h";
                };
                header?: never;
                path: {
                    /** @description The region, as the trips name it */
                    region_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Windows that have trips, newest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["RegionPoint"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                region_id: string;
                                /** @enum {string} */
                                window: "1m" | "5m" | "1h";
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/regions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The regions with the most trips
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description Start of the range, inclusive, by event time; an hour before `to` when missing */
                    from?: string;
                    limit?: number;
                    /** @description End of the range, exclusive; now when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Regions, the first has the most trips */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["RegionTotals"][];
                            meta: components["schemas"]["Meta"] & {
                                /** Format: date-time */
                                from: string;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                /** Format: date-time */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/revenue_timeseries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Revenue of successful orders over time, by currency
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Width of a point: a number and m, h or d */
                    bucket?: string;
                    /** @description Only this category */
                    category?: string;
                    /** @description Only this currency */
                    currency?: string;
                    /** @description Start of the range, inclusive, by event time; an hour before `to` when missing */
                    from?: string;
                    /** @description End of the range, exclusive; now when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A point per currency and bucket, oldest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["RevenuePoint"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Width of a point */
                                bucket: string;
                                category: string | null;
                                /** Format: date-time */
                                from: string;
                                /** Format: date-time */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics/top_products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The products with the most views, carts, purchases or revenue
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    by?: "views" | "carts" | "purchases" | "revenue";
                    /** @description Whose revenue `by=revenue` compares; the platform's own when missing */
                    currency?: string;
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    /** @description Start of the range, inclusive, by event time; an hour before `to` when missing */
                    from?: string;
                    limit?: number;
                    /** @description End of the range, exclusive; now when missing */
                    to?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Products, the first is the top one; counted by whole hours */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ProductTotals"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @enum {string} */
                                by: "views" | "carts" | "purchases" | "revenue";
                                /** Format: date-time */
                                from: string;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                                /** Format: date-time */
                                to: string;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OpenAPI 3.1 */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send orders
         * @description One object, an array, or NDJSON; gzip, deflate and br are understood. An answer of 202 means that the accepted events are durable; every other event has a verdict. The same `order_id` within ten minutes is a duplicate, so a request can safely be sent again. A single object that is refused is answered with 422. At most 500 events and 1 MB (5 MB decompressed) in a request, 32 KB an event. NDJSON is taken as it arrives, 500 lines at a time: up to 100000 lines, 64 MB decompressed and 25 seconds; where it ends earlier than its body, `stopped` says at which line. With an Idempotency-Key a request is read whole, and the same body under the same key gets the same answer for an hour from the same edge process; another process, or one that was started anew, tells its events apart by their ids. 429 is the quota of the write key, 503 is pressure; both say when to come back. A page whose origin the key does not allow gets 403.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Up to 200 visible ASCII characters, e.g. a UUID */
                    "idempotency-key"?: string;
                    /** @description W3C trace context; travels with the events */
                    traceparent?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Order"] | components["schemas"]["Order"][];
                    "application/x-ndjson": string;
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of each event */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ArrivingResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                /** @description The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                422: components["responses"]["Unprocessable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/privacy/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Erasures of persons, the newest first
         * @description For admins.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                    /** @description `waiting_for_log`: everything is erased but the events that the log keeps until its retention has passed */
                    state?: "requested" | "running" | "waiting_for_log" | "complete" | "failed";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Erasures */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Erasure"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /**
         * Erase a person
         * @description Removes the person from features, results, the lake and every snapshot of it, and waits until the log has let go of the events. An id that is being erased is not erased twice: the answer is that erasure. Where it waits for the log alone, the answer is another one, of what has come since. What is sent of the person after this is new, and is kept. For admins.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewErasure"];
                };
            };
            responses: {
                /** @description The erasure, which goes on by itself */
                202: {
                    headers: {
                        /** @description Where it is told how far it is */
                        Location?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Erasure"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/privacy/erasures/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far an erasure is; its certificate
         * @description For admins.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The erasure */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Erasure"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A product as it is in the shop's database
         * @description For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The product's id in the shop */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The product */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ShopProduct"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{id}/prices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The prices a product has had, the newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description The product's id in the shop */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The last is its first price that is known */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["PriceChange"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{id}/stock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many of a product there were, the newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description The product's id in the shop */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Changes of its stock */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["StockChange"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/low_stock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Products of which few are left, the fewest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    below?: number;
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Products with a stock below that */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ShopProduct"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Whether any product of a shop is known: false where no database is captured */
                                known: boolean;
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/price_changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What prices were changed to, the newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Changes; first prices are none */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: (components["schemas"]["PriceChange"] & {
                                name: string | null;
                                product_id: string;
                            })[];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/quality/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How one check went in its last runs, newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query: {
                    /** @description Its name, as `/quality/latest` has it, e.g. fact_events.unique.event_id */
                    check: string;
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Runs in which it was asked, newest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["QualityPoint"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/quality/latest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the checks of a day found: the latest run of each stage
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The day that was checked, UTC; the newest when missing */
                    date?: string;
                    /** @description Only of this stage */
                    stage?: "staging" | "facts" | "metrics";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description In the order in which the stages were checked */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                /** Format: date */
                                date: string | null;
                                runs: components["schemas"]["QualityRun"][];
                                /**
                                 * @description none: nothing was checked of that day yet
                                 * @enum {string}
                                 */
                                status: "passed" | "failed" | "none";
                            };
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reconciliation/latest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The newest reconciliation of live results with the lake
         * @description For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description With every difference that was found */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: {
                                reconciliation: components["schemas"]["Reconciliation"];
                                /**
                                 * @description none: nothing was reconciled yet
                                 * @enum {string}
                                 */
                                status: "passed" | "incident" | "none";
                            };
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/compatibility/subjects/{subject}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Whether a schema is compatible with a version, by the level of the subject */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                    version: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistration"];
                };
            };
            responses: {
                /** @description Whether a schema is compatible with a version, by the level of the subject */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            is_compatible: boolean;
                            messages?: string[];
                        };
                    };
                };
                /** @description The body is no JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The encoding of the body is not known */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too much at once; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The compatibility level of subjects that have none of their own */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The compatibility level of subjects that have none of their own */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            /** @enum {string} */
                            compatibilityLevel: "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE";
                        };
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        /** Set that level */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/vnd.schemaregistry.v1+json": {
                        /** @enum {string} */
                        compatibility: "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE";
                    };
                };
            };
            responses: {
                /** @description Set that level */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            /** @enum {string} */
                            compatibility: "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE";
                        };
                    };
                };
                /** @description The body is no JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The account may not change schemas */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The encoding of the body is not known */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too much at once; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/config/{subject}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The compatibility level of a subject */
        get: {
            parameters: {
                query?: {
                    /** @description Answer the level of all where it has none */
                    defaultToGlobal?: "true" | "false";
                };
                header?: never;
                path: {
                    subject: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The compatibility level of a subject */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            /** @enum {string} */
                            compatibilityLevel: "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE";
                        };
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        /** Set that level */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/vnd.schemaregistry.v1+json": {
                        /** @enum {string} */
                        compatibility: "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE";
                    };
                };
            };
            responses: {
                /** @description Set that level */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            /** @enum {string} */
                            compatibility: "NONE" | "BACKWARD" | "BACKWARD_TRANSITIVE" | "FORWARD" | "FORWARD_TRANSITIVE" | "FULL" | "FULL_TRANSITIVE";
                        };
                    };
                };
                /** @description The body is no JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The account may not change schemas */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The encoding of the body is not known */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too much at once; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/schemas/ids/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The schema of an id */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The schema of an id */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            schema: string;
                        };
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/schemas/ids/{id}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Subjects and versions that use an id */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Subjects and versions that use an id */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            subject: string;
                            version: number;
                        }[];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/schemas/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Kinds of schemas that are understood */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Kinds of schemas that are understood */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": "AVRO"[];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/subjects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Subjects that have schemas */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Subjects that have schemas */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": string[];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/subjects/{subject}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Under which version the subject has a schema */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistration"];
                };
            };
            responses: {
                /** @description Under which version the subject has a schema */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            id: number;
                            /** @description JSON text */
                            schema: string;
                            subject: string;
                            version: number;
                        };
                    };
                };
                /** @description The body is no JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The encoding of the body is not known */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too much at once; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        /** Refused: schemas are kept for ever */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The account may not change schemas */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Schemas are kept for ever */
                405: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/subjects/{subject}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Versions of a subject */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Versions of a subject */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": number[];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        put?: never;
        /** Register a schema; one that the subject has already keeps its id */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistration"];
                };
            };
            responses: {
                /** @description Register a schema; one that the subject has already keeps its id */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            id: number;
                        };
                    };
                };
                /** @description The body is no JSON */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The account may not change schemas */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema is not compatible; the message names the field */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The body is too large */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The encoding of the body is not known */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too much at once; see Retry-After */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schema-registry/subjects/{subject}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One version of a subject, or the latest */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                    version: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description One version of a subject, or the latest */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": {
                            id: number;
                            /** @description JSON text */
                            schema: string;
                            subject: string;
                            version: number;
                        };
                    };
                };
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description No such subject, version or schema */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The schema, version or level is not valid */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Refused: schemas are kept for ever */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    subject: string;
                    version: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description User and password, or a token, are missing or wrong */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description The account may not change schemas */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Schemas are kept for ever */
                405: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Too many sign-ins that failed; see Retry-After */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Path, query and headers are larger than the server takes */
                431: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
                /** @description Something went wrong here */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/vnd.schemaregistry.v1+json": components["schemas"]["SchemaRegistryError"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A user's sessions, newest first
         * @description For every account.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description user_id, or the anonymous_id of who has none */
                    user_id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Newest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Session"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/shop_orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An order as it is in the shop's database, with its items and the states it has had
         * @description For every account.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The order's id in the shop */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The order */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["ShopOrder"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                404: components["responses"]["NotFound"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trips": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send completed trips
         * @description One object, an array, or NDJSON; gzip, deflate and br are understood. An answer of 202 means that the accepted events are durable; every other event has a verdict. The same `trip_id` within ten minutes is a duplicate, so a request can safely be sent again. A single object that is refused is answered with 422. At most 500 events and 1 MB (5 MB decompressed) in a request, 32 KB an event. NDJSON is taken as it arrives, 500 lines at a time: up to 100000 lines, 64 MB decompressed and 25 seconds; where it ends earlier than its body, `stopped` says at which line. With an Idempotency-Key a request is read whole, and the same body under the same key gets the same answer for an hour from the same edge process; another process, or one that was started anew, tells its events apart by their ids. 429 is the quota of the write key, 503 is pressure; both say when to come back. A page whose origin the key does not allow gets 403.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Up to 200 visible ASCII characters, e.g. a UUID */
                    "idempotency-key"?: string;
                    /** @description W3C trace context; travels with the events */
                    traceparent?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Trip"] | components["schemas"]["Trip"][];
                    "application/x-ndjson": string;
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of each event */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ArrivingResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                /** @description The body came too slowly */
                408: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                422: components["responses"]["Unprocessable"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The accounts, by name
         * @description For admins.
         */
        get: {
            parameters: {
                query?: {
                    /** @description `meta.next_cursor` of the page before */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Accounts */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Account"][];
                            meta: components["schemas"]["Meta"] & {
                                /** @description Give it as `cursor` for the next page; null on the last */
                                next_cursor: string | null;
                            };
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /**
         * Make an account
         * @description For admins.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewAccount"];
                };
            };
            responses: {
                /** @description The account */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["Account"];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove an account
         * @description For admins.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    username: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is gone, and its sessions are ended */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        /**
         * Change the role or the password of an account
         * @description Ends its sessions: it signs in again. Access tokens that are out hold until they end by themselves, fifteen minutes at most. For admins.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    username: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AccountChange"];
                };
            };
            responses: {
                /** @description It is changed */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        trace?: never;
    };
    "/v1/a": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Another id of the same user
         * @description The same as /v1/alias.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/alias": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Another id of the same user
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/b": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Any of these, up to 2,500 at once
         * @description The same as /v1/batch.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentBatch"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Any of these, up to 2,500 at once
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentBatch"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/g": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a user belongs to
         * @description The same as /v1/group.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a user belongs to
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/i": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What is known about a user
         * @description The same as /v1/identify.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/identify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What is known about a user
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Any of these, up to 2,500 at once
         * @description The same as /v1/batch.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentBatch"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/p": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A page that was viewed
         * @description The same as /v1/page.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/page": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A page that was viewed
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/s": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A screen of an app that was viewed
         * @description The same as /v1/screen.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/screen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A screen of an app that was viewed
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/t": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a user has done
         * @description The same as /v1/track.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/track": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a user has done
         * @description Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SegmentMessage"];
                    "text/plain": string;
                };
            };
            responses: {
                /** @description What became of the messages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SegmentResult"];
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                429: components["responses"]["TooManyRequests"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/write-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The keys that let clients send events
         * @description For operators and admins.
         */
        get: {
            parameters: {
                query?: {
                    /** @description true: the last 100 that were revoked as well */
                    revoked?: "true" | "false";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Keys without their secrets, the oldest first */
                200: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["WriteKey"][];
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                /** @description What the client has, by If-None-Match, says the same */
                304: {
                    headers: {
                        /** @description Stands for what `data` says, not for when that was asked */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        put?: never;
        /**
         * Make a key
         * @description The answer has the key itself, this once: only its hash is kept. `origins` keeps other web pages from sending with a key that is public by nature; programs that are no browsers can name any origin, or none. Beyond `events_per_minute` the key is answered with 429 until some have come back. With `requires_consent`, an event that does not say that whom it is about agrees is let go, as one is everywhere that says no. For operators and admins.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewWriteKey"];
                };
            };
            responses: {
                /** @description The key */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            data: components["schemas"]["WriteKey"] & {
                                /** @description The key itself: shown now and never again */
                                key: string;
                            };
                            meta: components["schemas"]["Meta"] & Record<string, never>;
                        };
                    };
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                413: components["responses"]["TooLarge"];
                415: components["responses"]["UnsupportedMediaType"];
                422: components["responses"]["Unprocessable"];
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/write-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a key
         * @description For ever. What it has sent stays. For operators and admins.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It no longer holds */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                400: components["responses"]["BadRequest"];
                401: components["responses"]["Unauthorized"];
                403: components["responses"]["Forbidden"];
                404: components["responses"]["NotFound"];
                /** @description It is at odds with what is there */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                431: components["responses"]["HeadTooLarge"];
                500: components["responses"]["Failed"];
                503: components["responses"]["Unavailable"];
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Account: {
            /** Format: date-time */
            created_at: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "admin";
            username: string;
        };
        AccountChange: {
            /**
             * @description At least 12 characters
             * @example correct horse battery staple
             */
            password?: string;
            /** @enum {string} */
            role?: "viewer" | "operator" | "admin";
        };
        AlertReview: {
            /** @description Why */
            note?: string | null;
            /** @enum {string} */
            state: "open" | "confirmed" | "dismissed";
        };
        ArrivingResult: components["schemas"]["IngestResult"] & {
            /** @description NDJSON only: why not all of it was taken. What came before has its verdict */
            stopped?: {
                /** @enum {string} */
                code: "too_many_events" | "body_too_large" | "too_many_rejected" | "out_of_time" | "quota_exceeded" | "log_unavailable" | "overloaded" | "malformed_body" | "body_too_slow";
                /** @description The first line that was not taken; blank lines do not count */
                index: number;
                message: string;
            };
        };
        AuditEntry: {
            /** @example user.change */
            action: string;
            /** @description An account; `cli:<user>` on the machine of the platform; `start` when it started */
            actor: string;
            /** @description Of the client, as the server sees it */
            address: string | null;
            /** Format: date-time */
            at: string;
            /** @description What is worth knowing besides, never a secret */
            detail: {
                [key: string]: unknown;
            };
            id: number;
            /** @description What it was done to */
            target: string;
        };
        ClickstreamEvent: {
            /** @description Needed where there is no user_id */
            anonymous_id?: string | null;
            /** @description Whether a program rather than a person did it; when missing, judged by User-Agent where that is a browser */
            bot?: boolean | null;
            category?: string | null;
            /** @description false: whom it is about does not agree, and the event is let go. Missing: nobody was asked, or it is not needed; with a write key that requires consent it is let go, too */
            consent?: boolean | null;
            currency?: string | null;
            device?: string | null;
            /** @description Makes retries safe: the same id within 10 minutes is one event. Made by the server when missing */
            event_id?: string | null;
            /** @description ISO 8601 (UTC where it has no offset) or epoch milliseconds; now, when missing */
            event_time?: string | number | null;
            /** @enum {string} */
            event_type: "page_view" | "product_view" | "add_to_cart" | "checkout" | "purchase" | "custom";
            /** @description On a purchase: its order; the revenue is then counted from the order */
            order_id?: string | null;
            page_url?: string | null;
            product_id?: string | null;
            /** @description Anything else; unknown fields are put here too */
            properties?: {
                [key: string]: unknown;
            } | null;
            referrer?: string | null;
            region?: string | null;
            /** @description Major units of the currency */
            revenue?: number | null;
            /** @description The client's clock when it sent the request: corrects the skew of event_time */
            sent_at?: string | number | null;
            session_id?: string | null;
            user_id?: string | null;
        } & {
            [key: string]: unknown;
        };
        DailyCategory: {
            category: string;
            currency: string;
            /** Format: date */
            day: string;
            net_revenue: number;
            orders: number;
            refunded: number;
            refunds: number;
            /** @description Of successful orders, major units of the currency; refunds are not taken off */
            revenue: number;
        };
        DailyFunnelStage: {
            /** Format: date */
            day: string;
            /** @description Null at the first stage, and where no visit reached the one before */
            rate_of_previous: number | null;
            rate_of_visits: number;
            /** @description Visits that reached this stage or one behind it */
            sessions: number;
            stage: string;
            users: number;
        };
        DailyKpis: {
            /** @description Sessions with a purchase among all; null without sessions */
            conversion_rate: number | null;
            converted_sessions: number;
            customers: number;
            /** Format: date */
            day: string;
            events: number;
            failed_orders: number;
            /** @description Successful orders */
            orders: number;
            page_views: number;
            /** Format: date-time */
            published_at: string;
            refunds: number;
            /** @description Visits by the 30-minute rule; one that goes on past midnight is one of each day */
            sessions: number;
            /** @description One entry per currency, the largest revenue first */
            totals: {
                average_order: number | null;
                currency: string;
                net_revenue: number;
                orders: number;
                refunded: number;
                refunds: number;
                /** @description Of successful orders, major units of the currency; refunds are not taken off */
                revenue: number;
            }[];
            trips: number;
            users: number;
        };
        DailyRegion: {
            currency: string;
            /** Format: date */
            day: string;
            /** @description Sum, kilometres */
            distance: number;
            /** @description Sum, seconds */
            duration: number;
            /** @description Sum, major units */
            fare: number;
            net_revenue: number;
            orders: number;
            /** @description 1 is the region with the most trips, then the most orders */
            place: number;
            refunded: number;
            region: string;
            /** @description Of successful orders, major units of the currency; refunds are not taken off */
            revenue: number;
            trips: number;
        };
        DeadLetter: {
            /** Format: date-time */
            died_at: string;
            /** @example dlq.transactions.orders:0:17 */
            id: string;
            key: string | null;
            message: string;
            reason: string;
            replayed: boolean;
            /** @description Where the record first lay */
            source: {
                /** Format: date-time */
                accepted_at: string;
                offset: number;
                partition: number;
                topic: string;
            };
            trace_id: string | null;
        };
        DeadLetterCause: {
            /** @description Id of the newest letter */
            example: string;
            /** Format: date-time */
            first_at: string;
            /** @description Names the group; null: what is left where there are too many */
            group: string | null;
            /** Format: date-time */
            last_at: string;
            letters: number;
            /** @description What the messages have in common: numbers as N, quotations as "…" */
            message: string;
            /** @example unknown_schema */
            reason: string;
            /** @description Of these */
            replayed: number;
            /** @description Where the records came from */
            topic: string;
        };
        DeadLetterDetail: components["schemas"]["DeadLetter"] & {
            /** @description Of the value as it was kept */
            bytes: number;
            /** @description Its length, where only the beginning was kept */
            cut_from_bytes: number | null;
            /** @example Avro by schema 3 */
            format: string;
            group: string;
            /** @description The record's own */
            headers: {
                [key: string]: string;
            };
            /** @description The trace of the request, where STREAMFORGE_TRACE_URL says how */
            trace_url: string | null;
            /** @description For people: JSON, text, or a hexadecimal dump; its beginning where it is long */
            value: string;
            /** @description The bytes as they are; the first 64 KB */
            value_base64: string;
        };
        DeadLetterReplay: {
            /** @default false */
            dry_run: boolean;
            fix?: {
                /** @description A preset’s name, or a mapping as imports take it: from what the values say to an event */
                mapping?: string | {
                    [key: string]: unknown;
                };
                /** @description The Avro schema that the values were written with, whatever id they name */
                schema?: {
                    [key: string]: unknown;
                } | unknown[];
            };
            /** @description A group, as `GET /dead-letters/causes` names it */
            group?: string;
            /** @description Either these, or the letters of a group */
            ids?: string[];
            /**
             * @description Of letters, oldest first
             * @default 1000
             */
            limit: number;
        };
        Erasure: {
            /** Format: date-time */
            completed_at: string | null;
            /** @description Why it failed; asking again for the same person goes on where it stopped. Of one that is under way: what it can not get past at the moment, and tries again */
            failure: string | null;
            id: string;
            /** Format: date-time */
            requested_at: string;
            requested_by: string;
            salt: string;
            /**
             * @description `waiting_for_log`: everything is erased but the events that the log keeps until its retention has passed
             * @enum {string}
             */
            state: "requested" | "running" | "waiting_for_log" | "complete" | "failed";
            /** @description What was removed where and when, in counts. Of a complete erasure this is the certificate */
            steps: ({
                /** Format: date-time */
                at: string;
                step: string;
            } & {
                [key: string]: unknown;
            })[];
            /** @description SHA-256 of `<salt>:<user id>`, hexadecimal: tells who knows the id that it was this one */
            subject_hash: string;
            /** Format: date-time */
            updated_at: string;
            /**
             * Format: date-time
             * @description When the log will have let go of the events, by its retention
             */
            waits_until: string | null;
        };
        EventsPoint: {
            by_type: {
                [key: string]: number;
            };
            events: number;
            /** @description Whether the watermark has passed: then it can not change any more */
            final: boolean;
            /**
             * Format: date-time
             * @description Start of the point
             */
            time: string;
            /** @description Distinct users, which cannot be added up: only for points of one minute */
            users_by_type: {
                [key: string]: number;
            } | null;
        };
        EventStatus: {
            /** @description Further records of the same event. The streams skip those that come within ten minutes; the batch layer counts each event once however late its copies come */
            duplicates: number;
            event_id: string;
            looked_in: string[];
            /** @description Where further records may be */
            not_looked_in: string[];
            /** @description The earliest first; an order has one for each status */
            records: {
                /**
                 * Format: date-time
                 * @description When the log took it
                 */
                accepted_at: string;
                /** @description The first record of this event */
                duplicate_of: {
                    offset: number;
                    partition: number;
                    topic: string;
                } | null;
                /**
                 * Format: date-time
                 * @description null: nobody can read the record
                 */
                event_time: string | null;
                /** @description `pending`: not yet read; `applied`: it is in the job's results, as far as it concerns the job */
                jobs: {
                    job: string;
                    /** @enum {string} */
                    outcome: "pending" | "applied" | "late" | "duplicate" | "dead_letter" | "imported";
                }[];
                /** @description The first snapshot that has it, of those that have not expired; null: not yet, or not known */
                lake: {
                    /** Format: date-time */
                    committed_at: string;
                    snapshot_id: string;
                    table: string;
                } | null;
                offset: number;
                partition: number;
                /** @enum {string} */
                status: "accepted" | "applied" | "late" | "duplicate" | "dead_letter" | "imported";
                topic: string;
            }[];
            /**
             * @description Of its first record. `accepted`: in the log, and not all jobs have read it; `applied`: all have; `late`: too late for some job; `dead_letter`: it could not be read; `imported`: from a file, past the jobs
             * @enum {string}
             */
            status: "accepted" | "applied" | "late" | "duplicate" | "dead_letter" | "imported";
        };
        Explained: {
            /** @description Those */
            alerts: components["schemas"]["SupposedAlert"][];
            /** @description Further alerts of this user that come or go by the change */
            elsewhere: {
                appearing: string[];
                vanishing: string[];
            };
            /** @description Step by step: the orders of the user around the evidence, in order of time */
            evaluation: {
                /** @description The alert that it then belongs to */
                alert_id: string | null;
                amount: number;
                /** @enum {string|null} */
                changed: "removed" | "moved" | "amount" | null;
                /** @description Whether it takes part in the pattern */
                counts: boolean;
                currency: string;
                /** Format: date-time */
                event_time: string;
                /** @description Of the alert that was asked about */
                evidence: boolean;
                offset: number;
                order_id: string;
                partition: number;
                /** @description Why it does or does not */
                reason: string;
                status: string;
                /** @description Orders that count within the rule's time up to this one */
                together: string[];
                topic: string;
            }[];
            /** @description Why, in a sentence */
            explanation: string;
            /** @description Whether some alert has one of the orders of the evidence in it */
            fires: boolean;
            /** @description What was looked at */
            judged_on: {
                /** Format: date-time */
                from: string;
                lake: boolean;
                log: {
                    from_offset: number;
                    to_offset: number;
                } | null;
                /** @description What was not looked at */
                missing: string[];
                /** @description Orders of this user that were looked at */
                orders: number;
                /** Format: date-time */
                to: string;
                /** @description No other order can change the answer */
                whole: boolean;
            };
        };
        FraudAlert: {
            alert_id: string;
            currency: string;
            evidence: {
                amount: number;
                /** Format: date-time */
                event_time: string;
                /** @description Where the order lies in the log */
                offset: number;
                order_id: string;
                partition: number;
                /** @enum {string} */
                status: "success" | "failed" | "refunded";
                topic: string;
            }[];
            final: boolean;
            /** Format: date-time */
            first_at: string;
            /** Format: date-time */
            last_at: string;
            review: {
                /** Format: date-time */
                at: string | null;
                by: string | null;
                /** @enum {string} */
                state: "open" | "confirmed" | "dismissed";
            };
            rule_id: string;
            rule_version: number;
            /** @enum {string} */
            state: "active" | "superseded";
            superseded_by: string | null;
            supersedes: string[];
            /** @description Of the orders in the match, major units */
            total: number;
            trace_id: string | null;
            /**
             * Format: date-time
             * @description Event time of the order whose arrival completed the match
             */
            triggered_at: string;
            user_id: string;
            /** Format: date-time */
            watermark: string | null;
        };
        FraudAlertDetail: {
            alert_id: string;
            currency: string;
            evidence: {
                amount: number;
                /** Format: date-time */
                event_time: string;
                /** @description Where the order lies in the log */
                offset: number;
                order_id: string;
                partition: number;
                /** @enum {string} */
                status: "success" | "failed" | "refunded";
                topic: string;
            }[];
            final: boolean;
            /** Format: date-time */
            first_at: string;
            /** Format: date-time */
            last_at: string;
            review: {
                /** Format: date-time */
                at: string | null;
                by: string | null;
                notes: {
                    /** Format: date-time */
                    at: string;
                    by: string;
                    note: string | null;
                    /** @enum {string} */
                    state: "open" | "confirmed" | "dismissed";
                }[];
                /** @enum {string} */
                state: "open" | "confirmed" | "dismissed";
                /** @description Reviews of the alerts that this one took the place of */
                superseded: {
                    alert_id: string;
                    /** Format: date-time */
                    at: string | null;
                    by: string | null;
                    /** @enum {string} */
                    state: "open" | "confirmed" | "dismissed";
                }[];
            };
            /** @description What it fired by */
            rule: {
                /** @description null: this version of the rule does not run here any more */
                description: string | null;
                id: string;
                parameters: {
                    /** @description each above this amount, in major units */
                    above: number;
                    currency: string;
                    /** @description So many orders of one user */
                    orders: number;
                    /** @description the last less than so long after the first */
                    within_seconds: number;
                } | null;
                version: number;
            };
            rule_id: string;
            rule_version: number;
            /** @enum {string} */
            state: "active" | "superseded";
            superseded_by: string | null;
            supersedes: string[];
            /** @description In order of time. `received` as long as the log has the order */
            timeline: {
                /** @description That took its place */
                alert_id?: string;
                /** Format: date-time */
                at: string;
                by?: string;
                note?: string;
                order_id?: string;
                /** @enum {string} */
                state?: "open" | "confirmed" | "dismissed";
                /**
                 * @description An order happened, and was received; the alert was raised, superseded, became final, was reviewed
                 * @enum {string}
                 */
                what: "happened" | "received" | "alerted" | "superseded" | "final" | "reviewed";
            }[];
            /** @description Of the orders in the match, major units */
            total: number;
            trace_id: string | null;
            /**
             * Format: uri
             * @description The trace of the order that completed the match, where STREAMFORGE_TRACE_URL says how
             */
            trace_url: string | null;
            /**
             * Format: date-time
             * @description Event time of the order whose arrival completed the match
             */
            triggered_at: string;
            user_id: string;
            /** Format: date-time */
            watermark: string | null;
        };
        FunnelStage: {
            /** @description What was not lost on the way from the stage before; null at the first stage, and where nobody reached the one before */
            rate_of_previous: number | null;
            /** @description Among all sessions; null without sessions */
            rate_of_visits: number | null;
            /** @description Sessions that reached this stage or one behind it */
            sessions: number;
            /** @enum {string} */
            stage: "visit" | "product_view" | "cart" | "checkout" | "purchase";
        };
        IcebergError: {
            error: {
                code: number;
                message: string;
                type: string;
            };
        };
        IngestResult: {
            /** @description Events that the log now has durably */
            accepted: number;
            /** @description Events seen before, within ten minutes; not appended again */
            duplicates: number;
            rejected: components["schemas"]["Verdict"][];
            /** @description Events that say themselves that whom they are about does not agree, or do not say so to a key that requires it: neither stored nor kept in mind */
            without_consent?: number;
        };
        Login: {
            password: string;
            username: string;
        };
        LoginCode: {
            code: string;
        };
        Meta: {
            /** @description How far the watermark is behind the wall clock */
            freshness_ms: number | null;
            /** Format: date-time */
            generated_at: string;
            /**
             * Format: date-time
             * @description Event time up to which the data is final; null where there is none
             */
            watermark: string | null;
        };
        NewAccount: {
            /**
             * @description At least 12 characters
             * @example correct horse battery staple
             */
            password: string;
            /**
             * @default viewer
             * @enum {string}
             */
            role: "viewer" | "operator" | "admin";
            /** @example ada */
            username: string;
        };
        NewErasure: {
            /** @description A user id, or an anonymous one. Anonymous ids seen with a user id are erased with it */
            user_id: string;
        };
        NewLoginLink: {
            /** @enum {string} */
            role: "viewer" | "operator" | "admin";
        };
        NewWriteKey: {
            events_per_minute?: number | null;
            name: string;
            /** @description []: no page at all, servers only */
            origins?: string[] | null;
            requires_consent?: boolean;
        };
        Order: {
            /** @description Major units of the currency, never negative: a refund is a record of status refunded */
            amount: number;
            category?: string | null;
            /** @description false: whom it is about does not agree, and the event is let go. Missing: nobody was asked, or it is not needed; with a write key that requires consent it is let go, too */
            consent?: boolean | null;
            currency?: string | null;
            /** @description ISO 8601 (UTC where it has no offset) or epoch milliseconds; now, when missing */
            event_time?: string | number | null;
            order_id: string;
            product_id?: string | null;
            /** @description Anything else; unknown fields are put here too */
            properties?: {
                [key: string]: unknown;
            } | null;
            quantity?: number | null;
            region?: string | null;
            /** @description The client's clock when it sent the request: corrects the skew of event_time */
            sent_at?: string | number | null;
            /**
             * @description success when missing
             * @enum {string|null}
             */
            status?: "success" | "failed" | "refunded" | null;
            user_id: string;
        } & {
            [key: string]: unknown;
        };
        Overview: components["schemas"]["OverviewFigures"] & {
            change?: components["schemas"]["OverviewChange"];
            previous?: components["schemas"]["OverviewFigures"];
        };
        /** @description From `previous` to this range, as fractions of what was before */
        OverviewChange: {
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            active_sessions: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            alerts: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            conversion_rate: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            converted_sessions: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            events: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            events_per_second: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            orders: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            refunds: number | null;
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            sessions: number | null;
            totals: {
                currency: string;
                /** @description 0.25 is a quarter more than before; null where there was nothing before */
                net_revenue: number | null;
                /** @description 0.25 is a quarter more than before; null where there was nothing before */
                refunded: number | null;
                /** @description 0.25 is a quarter more than before; null where there was nothing before */
                revenue: number | null;
            }[];
            /** @description 0.25 is a quarter more than before; null where there was nothing before */
            trips: number | null;
        };
        /** @description The same of the range before, where `compare=previous` asked for it */
        OverviewFigures: {
            /** @description Sessions with an event in the last 30 minutes of the range */
            active_sessions: number;
            alerts: number;
            /** @description Sessions with a purchase among all; null without sessions */
            conversion_rate: number | null;
            converted_sessions: number;
            events: number;
            /** @description Over the last minute of the range */
            events_per_second: number;
            /** @description Successful orders */
            orders: number;
            range: {
                /** Format: date-time */
                from: string;
                /** Format: date-time */
                to: string;
            };
            refunds: number;
            /** @description Sessions that began in the range */
            sessions: number;
            /** @description One entry per currency, the largest revenue first */
            totals: components["schemas"]["Revenue"][];
            trips: number;
        };
        Pipeline: {
            dead_letters: number;
            duplicates: number;
            events: number;
            /** @description Records not yet read */
            lag: number;
            late: number;
            partition: number;
            /** @enum {string} */
            status: "idle" | "live" | "catching_up" | "stuck";
            topic: string;
            /** Format: date-time */
            updated_at: string;
            /** Format: date-time */
            watermark: string | null;
        };
        PriceChange: {
            /**
             * Format: date-time
             * @description When the shop's database changed it, by its clock
             */
            changed_at: string;
            currency: string | null;
            currency_before: string | null;
            price: number | null;
            /** @description null: the first price that is known */
            price_before: number | null;
        };
        Problem: {
            /** @enum {string} */
            code: "malformed_body" | "invalid_parameter" | "unauthorized" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "incompatible_schema" | "idempotency_in_flight" | "body_too_slow" | "body_too_large" | "too_many_events" | "unsupported_media_type" | "unsupported_encoding" | "invalid_event" | "idempotency_mismatch" | "unprocessable" | "too_many_attempts" | "quota_exceeded" | "internal" | "log_unavailable" | "overloaded" | "unavailable";
            /** @description What is wrong and what to do next */
            detail: string;
            status: number;
            title: string;
            /** @description Of the request, where requests are traced */
            trace_id?: string;
            type: string;
        } & {
            [key: string]: unknown;
        };
        ProductTotals: {
            carts: number;
            product_id: string;
            purchases: number;
            revenue: {
                currency: string;
                revenue: number;
            }[];
            views: number;
        };
        QualityCheck: {
            /** @description Its name, the same in every run */
            check: string;
            duration_ms: number;
            expected: string;
            kind: string;
            /** @description Rows that fail, a ratio, the newest value; null where there was nothing to observe */
            observed: number | string | null;
            reason: string;
            /** @description Up to five of the rows that fail */
            sample: {
                [key: string]: unknown;
            }[];
            /**
             * @description error: a gate, nothing is published of a day that fails it
             * @enum {string}
             */
            severity: "error" | "warn";
            /**
             * @description skipped: it could not be asked; `reason` says why
             * @enum {string}
             */
            status: "passed" | "failed" | "skipped";
            table: string;
        };
        QualityPoint: {
            /** Format: date */
            date: string;
            expected: string;
            /** Format: date-time */
            finished_at: string;
            /** @description Rows that fail, a ratio, the newest value; null where there was nothing to observe */
            observed: number | string | null;
            /**
             * @description skipped: it could not be asked; `reason` says why
             * @enum {string}
             */
            status: "passed" | "failed" | "skipped";
            workflow_id: string;
            workflow_run_id: string;
        };
        QualityRun: {
            checks: components["schemas"]["QualityCheck"][];
            engine: string;
            /** @description Gates that failed */
            failed: number;
            /** Format: date-time */
            finished_at: string;
            passed: number;
            skipped: number;
            /** @enum {string} */
            stage: "staging" | "facts" | "metrics";
            /** Format: date-time */
            started_at: string;
            /** @enum {string} */
            status: "passed" | "failed";
            /** @description Checks that failed and are no gates */
            warned: number;
            workflow_id: string;
            workflow_run_id: string;
        };
        Reconciliation: {
            /** @description Live rows against those of the jobs run again, by table */
            compared: {
                [key: string]: {
                    changed: number;
                    extra: number;
                    missing: number;
                    rows: number;
                };
            };
            /** @description What nothing explains comes first; the first hundred of a kind */
            differences: components["schemas"]["ReconciliationDifference"][];
            explained: {
                amounts: {
                    /** @description Major units */
                    amount: number;
                    currency: string;
                }[];
                cause: string;
                records: number;
            }[];
            /** Format: date-time */
            finished_at: string;
            /** Format: date-time */
            from: string;
            message: string;
            /** @description What is not final in these was left out */
            open_partitions: string[];
            /** @description Of the log, run through the jobs again */
            records: number;
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            to: string;
            unexplained: {
                amounts: {
                    /** @description Major units */
                    amount: number;
                    currency: string;
                }[];
                differences: number;
            };
            workflow_id: string;
            workflow_run_id: string;
        } | null;
        ReconciliationDifference: {
            /** @description What the exact truth has more than the live result; of what is wrong, by how much */
            amounts: {
                /** @description Major units */
                amount: number;
                currency: string;
            }[];
            /** @description late, duplicate, dead_letter; or what is wrong: missing, extra, changed, truth, gap, doubled, damaged */
            cause: string;
            expected: {
                [key: string]: unknown;
            } | null;
            explained: boolean;
            key: {
                [key: string]: string | number;
            };
            live: {
                [key: string]: unknown;
            } | null;
            message: string;
            records: number;
            /** @description Records it comes from, as topic:partition:offset */
            sample: string[];
            /** @description A table of results; a topic, where it is about offsets; or lake */
            table: string;
        };
        Refresh: {
            refresh_token: string;
        };
        RegionPoint: {
            average_distance: number;
            average_duration: number;
            average_fare: number;
            currency: string;
            /** @description Sum, kilometres */
            distance: number;
            /** @description Sum, seconds */
            duration: number;
            /** @description Sum, major units */
            fare: number;
            final: boolean;
            /** Format: date-time */
            time: string;
            trips: number;
        };
        RegionTotals: {
            /** @description Kilometres */
            average_distance: number;
            /** @description Seconds */
            average_duration: number;
            /** @description One entry per currency, by its code */
            fares: {
                currency: string;
                /** @description Sum, major units */
                fare: number;
            }[];
            region_id: string;
            trips: number;
        };
        ReplayReport: {
            dry_run: boolean;
            /** @description A few of each outcome */
            examples: {
                /** @description What goes back, or would */
                event: {
                    [key: string]: unknown;
                } | null;
                id: string;
                message: string | null;
                /** @enum {string} */
                outcome: "replayed" | "replayed_before" | "refused";
                reason: string | null;
                /** @description Where it lies now */
                to: {
                    offset: number;
                    partition: number;
                    topic: string;
                } | null;
            }[];
            /** @description Ids that are none, or no more */
            missing: string[];
            /** @description The limit ended it: the same request goes on from there */
            more: boolean;
            /** @description Still can not be read */
            refused: number;
            /** @description Went back; in a dry run, would go back */
            replayed: number;
            /** @description Of these nothing was done */
            replayed_before: number;
        };
        Revenue: {
            currency: string;
            net_revenue: number;
            refunded: number;
            /** @description Of successful orders, major units of the currency; refunds are not taken off */
            revenue: number;
        };
        RevenuePoint: components["schemas"]["Revenue"] & {
            final: boolean;
            orders: number;
            refunds: number;
            /** Format: date-time */
            time: string;
        };
        SchemaRegistration: {
            /** @description The Avro schema as JSON text */
            schema: string;
            /** @enum {string} */
            schemaType?: "AVRO";
        };
        SchemaRegistryError: {
            error_code: number;
            message: string;
        };
        SegmentBatch: {
            /** @description Messages, each with its `type` */
            batch: unknown[];
            /** @description Object: goes into the context of every message */
            context?: unknown;
            /** @description ISO 8601: the client's clock when it sent the request */
            sentAt?: unknown;
            /** @description Text: the write key, where no header has it */
            writeKey?: unknown;
        } & {
            [key: string]: unknown;
        };
        SegmentMessage: {
            /** @description the other is needed */
            anonymousId?: unknown;
            /** @description Object: page, userAgent, device, location, campaign, locale, library … */
            context?: unknown;
            /** @description Text: the name, on track */
            event?: unknown;
            /** @description Text, on group */
            groupId?: unknown;
            /** @description Text: the id of the event, so that a retry is a duplicate; made by the server when missing */
            messageId?: unknown;
            /** @description Text, on alias */
            previousId?: unknown;
            /** @description Object, on track, page and screen */
            properties?: unknown;
            /** @description ISO 8601: the client's clock when it sent the request; corrects the skew of timestamp */
            sentAt?: unknown;
            /** @description ISO 8601, by the client's clock; now, when missing */
            timestamp?: unknown;
            /** @description Object, on identify and group */
            traits?: unknown;
            /** @description Text: the call; needed in a batch only */
            type?: unknown;
            /** @description Text, the one or */
            userId?: unknown;
            /** @description Text: the write key, where no header has it */
            writeKey?: unknown;
        } & {
            [key: string]: unknown;
        };
        SegmentResult: components["schemas"]["IngestResult"] & {
            /** @enum {boolean} */
            success: true;
        };
        Session: {
            carts: number;
            checkouts: number;
            duration_ms: number;
            /** Format: date-time */
            ended_at: string;
            entry_page: string | null;
            events: number;
            exit_page: string | null;
            final: boolean;
            /** @enum {string} */
            funnel_stage: "visit" | "product_view" | "cart" | "checkout" | "purchase";
            page_views: number;
            product_views: number;
            purchases: number;
            revenue: {
                amount: number;
                currency: string;
            }[];
            session_id: string;
            /** Format: date-time */
            started_at: string;
            user_id: string;
        };
        ShopOrder: {
            /**
             * Format: date-time
             * @description When the shop's database changed it, by its clock
             */
            changed_at: string;
            /** Format: date-time */
            created_at: string | null;
            currency: string | null;
            /** @description Deleted in the shop; the rest is how it was then */
            deleted: boolean;
            /** @description The shop's other columns */
            extra: {
                [key: string]: unknown;
            };
            items: {
                /**
                 * Format: date-time
                 * @description When the shop's database changed it, by its clock
                 */
                changed_at: string;
                item_id: string;
                price: number | null;
                product_id: string | null;
                quantity: number | null;
            }[];
            order_id: string;
            status: string | null;
            /** @description What the order has been, in that order */
            statuses: {
                /**
                 * Format: date-time
                 * @description When the shop's database changed it, by its clock
                 */
                changed_at: string;
                status: string | null;
                /** @description null: the first that is known */
                status_before: string | null;
            }[];
            total: number | null;
            /** Format: date-time */
            updated_at: string | null;
            user_id: string | null;
        };
        ShopProduct: {
            category: string | null;
            /**
             * Format: date-time
             * @description When the shop's database changed it, by its clock
             */
            changed_at: string;
            currency: string | null;
            /** @description Deleted in the shop; the rest is how it was then */
            deleted: boolean;
            /** @description The shop's other columns */
            extra: {
                [key: string]: unknown;
            };
            name: string | null;
            price: number | null;
            product_id: string;
            sku: string | null;
            stock: number | null;
            /** Format: date-time */
            updated_at: string | null;
        };
        SignedIn: {
            /** @description For `Authorization: Bearer` */
            access_token: string;
            /** @description Seconds */
            expires_in: number;
            /** @description Seconds */
            refresh_expires_in: number;
            /** @description For `POST /auth/refresh`, once */
            refresh_token: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "admin";
            /** @enum {string} */
            token_type: "Bearer";
            username: string;
        };
        StockChange: {
            /**
             * Format: date-time
             * @description When the shop's database changed it, by its clock
             */
            changed_at: string;
            stock: number | null;
            /** @description null: the first that is known */
            stock_before: number | null;
        };
        SupposedAlert: {
            alert_id: string;
            currency: string;
            evidence: {
                amount: number;
                /** Format: date-time */
                event_time: string;
                /** @description Where the order lies in the log */
                offset: number;
                order_id: string;
                partition: number;
                /** @enum {string} */
                status: "success" | "failed" | "refunded";
                topic: string;
            }[];
            /** Format: date-time */
            first_at: string;
            /** Format: date-time */
            last_at: string;
            rule_id: string;
            rule_version: number;
            /** @description Of the orders in the match, major units */
            total: number;
            /**
             * Format: date-time
             * @description Event time of the order whose arrival completed the match
             */
            triggered_at: string;
            user_id: string;
        };
        Trip: {
            /** @description false: whom it is about does not agree, and the event is let go. Missing: nobody was asked, or it is not needed; with a write key that requires consent it is let go, too */
            consent?: boolean | null;
            currency?: string | null;
            /** @description Kilometres */
            distance: number;
            /** @description Seconds */
            duration: number;
            /** @description ISO 8601 (UTC where it has no offset) or epoch milliseconds; now, when missing */
            event_time?: string | number | null;
            /** @description Major units of the currency */
            fare: number;
            /** @description Anything else; unknown fields are put here too */
            properties?: {
                [key: string]: unknown;
            } | null;
            region_id: string | number;
            /** @description The client's clock when it sent the request: corrects the skew of event_time */
            sent_at?: string | number | null;
            trip_id: string;
        } & {
            [key: string]: unknown;
        };
        UserFeatures: {
            /** Format: date-time */
            as_of: string;
            cart_items: number;
            /** @description Null: no clickstream event of this user was seen */
            events: {
                counts: {
                    last_1h: number;
                    last_5m: number;
                    last_24h: number;
                };
                /** Format: date-time */
                first_seen: string;
                last_event_type: string;
                last_page: string | null;
                /** Format: date-time */
                last_seen: string;
                purchases: number;
                /** @description Since the user's last absence of a week, as everything here that has no window */
                total: number;
            } | null;
            last_product: string | null;
            /** @description Null: no order of this user was seen */
            orders: {
                average_order: number | null;
                counts: {
                    last_1h: number;
                    last_5m: number;
                    last_24h: number;
                };
                /** @description Null before the first successful order */
                currency: string | null;
                failed: number;
                /**
                 * Format: date-time
                 * @description Of successful orders
                 */
                last_order_at: string | null;
                last_order_id: string | null;
                refunds: number;
                /** @description Major units of the currency */
                spend: {
                    last_1h: number;
                    last_5m: number;
                    last_24h: number;
                };
                /** @description Successful orders since the user's last absence of a week */
                total: number;
                total_spend: number;
            } | null;
            /** @description Null: none is open */
            session: {
                events: number;
                /** Format: date-time */
                last_event_at: string;
                /** Format: date-time */
                started_at: string;
            } | null;
            user_id: string;
        };
        Verdict: {
            /** @enum {string} */
            code: "malformed_line" | "not_an_object" | "missing_field" | "wrong_type" | "invalid_value" | "time_out_of_range" | "too_large";
            /** @description The id the client gave, where it is readable */
            event_id: string | null;
            /** @description Position in the request, from 0; blank lines do not count */
            index: number;
            /** @description Names the field and what is wrong */
            message: string;
            /** @description Whether sending the event again unchanged can help */
            retryable: boolean;
        };
        WhatIf: {
            /** @default [] */
            changes: ({
                /** @description An order of the evidence, or another of the same user around it */
                without: string;
            } | {
                /** @description An order of the evidence, or another of the same user around it */
                order_id: string;
                shift_seconds: number;
            } | {
                amount: number;
                /** @description An order of the evidence, or another of the same user around it */
                order_id: string;
            })[];
        };
        Workflow: {
            /** @description Since the end of the last day that was done; of a workflow that is not about days, since its last success */
            lag_seconds: number | null;
            last_run: components["schemas"]["WorkflowRun"];
            last_success: components["schemas"]["WorkflowRun"];
            /** Format: date-time */
            next_run_at: string | null;
            paused: boolean;
            /** @description The newest first */
            recent_runs: components["schemas"]["WorkflowRun"][];
            schedules: {
                id: string;
                /** Format: date-time */
                next_run_at: string | null;
                note: string;
                paused: boolean;
                period_seconds: number | null;
                /** Format: uri */
                url: string | null;
            }[];
            /** @enum {string} */
            status: "ok" | "running" | "waiting" | "paused" | "overdue" | "failed";
            workflow: string;
        };
        WorkflowRun: {
            /** Format: date-time */
            closed_at: string | null;
            duration_seconds: number;
            /** @description Why it ended badly */
            failure: string | null;
            /** @description What it is about: date, table */
            memo: {
                [key: string]: string | number | boolean;
            };
            run_id: string;
            /**
             * Format: date-time
             * @description When its schedule meant it to start
             */
            scheduled_at: string | null;
            /** Format: date-time */
            started_at: string;
            /** @enum {string} */
            status: "running" | "completed" | "failed" | "timed_out" | "cancelled" | "terminated" | "continued_as_new" | "lost";
            /**
             * Format: uri
             * @description In Temporal's UI, where that is known
             */
            url: string | null;
            workflow_id: string;
        } | null;
        WriteKey: {
            /** Format: date-time */
            created_at: string | null;
            created_by: string | null;
            /** @description For each edge process; null: no quota */
            events_per_minute: number | null;
            /** @description Public: the key begins with it. `default` is the key of the platform itself */
            id: string;
            name: string;
            /** @description Of pages that may send with it; null: all pages */
            origins: string[] | null;
            /** @description Whether an event that does not say `"consent": true` is let go */
            requires_consent: boolean;
            /** Format: date-time */
            revoked_at: string | null;
            revoked_by: string | null;
        };
    };
    responses: {
        /** @description The request could not be understood */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something went wrong here; the request may be sent again */
        Failed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Valid, and not enough for this */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Path, query and headers are larger than the server takes */
        HeadTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description There is no such thing */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request is too large */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests; see Retry-After */
        TooManyRequests: {
            headers: {
                /** @description Seconds */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A key or a token is missing or not valid */
        Unauthorized: {
            headers: {
                /** @description How to sign in */
                "WWW-Authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not available now; see Retry-After */
        Unavailable: {
            headers: {
                /** @description Seconds */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The event is not valid */
        Unprocessable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The content type or encoding is not supported */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Account = components['schemas']['Account'];
export type AccountChange = components['schemas']['AccountChange'];
export type AlertReview = components['schemas']['AlertReview'];
export type ArrivingResult = components['schemas']['ArrivingResult'];
export type AuditEntry = components['schemas']['AuditEntry'];
export type ClickstreamEvent = components['schemas']['ClickstreamEvent'];
export type DailyCategory = components['schemas']['DailyCategory'];
export type DailyFunnelStage = components['schemas']['DailyFunnelStage'];
export type DailyKpis = components['schemas']['DailyKpis'];
export type DailyRegion = components['schemas']['DailyRegion'];
export type DeadLetter = components['schemas']['DeadLetter'];
export type DeadLetterCause = components['schemas']['DeadLetterCause'];
export type DeadLetterDetail = components['schemas']['DeadLetterDetail'];
export type DeadLetterReplay = components['schemas']['DeadLetterReplay'];
export type Erasure = components['schemas']['Erasure'];
export type EventsPoint = components['schemas']['EventsPoint'];
export type EventStatus = components['schemas']['EventStatus'];
export type Explained = components['schemas']['Explained'];
export type FraudAlert = components['schemas']['FraudAlert'];
export type FraudAlertDetail = components['schemas']['FraudAlertDetail'];
export type FunnelStage = components['schemas']['FunnelStage'];
export type IcebergError = components['schemas']['IcebergError'];
export type IngestResult = components['schemas']['IngestResult'];
export type Login = components['schemas']['Login'];
export type LoginCode = components['schemas']['LoginCode'];
export type Meta = components['schemas']['Meta'];
export type NewAccount = components['schemas']['NewAccount'];
export type NewErasure = components['schemas']['NewErasure'];
export type NewLoginLink = components['schemas']['NewLoginLink'];
export type NewWriteKey = components['schemas']['NewWriteKey'];
export type Order = components['schemas']['Order'];
export type Overview = components['schemas']['Overview'];
export type OverviewChange = components['schemas']['OverviewChange'];
export type OverviewFigures = components['schemas']['OverviewFigures'];
export type Pipeline = components['schemas']['Pipeline'];
export type PriceChange = components['schemas']['PriceChange'];
export type Problem = components['schemas']['Problem'];
export type ProductTotals = components['schemas']['ProductTotals'];
export type QualityCheck = components['schemas']['QualityCheck'];
export type QualityPoint = components['schemas']['QualityPoint'];
export type QualityRun = components['schemas']['QualityRun'];
export type Reconciliation = components['schemas']['Reconciliation'];
export type ReconciliationDifference = components['schemas']['ReconciliationDifference'];
export type Refresh = components['schemas']['Refresh'];
export type RegionPoint = components['schemas']['RegionPoint'];
export type RegionTotals = components['schemas']['RegionTotals'];
export type ReplayReport = components['schemas']['ReplayReport'];
export type Revenue = components['schemas']['Revenue'];
export type RevenuePoint = components['schemas']['RevenuePoint'];
export type SchemaRegistration = components['schemas']['SchemaRegistration'];
export type SchemaRegistryError = components['schemas']['SchemaRegistryError'];
export type SegmentBatch = components['schemas']['SegmentBatch'];
export type SegmentMessage = components['schemas']['SegmentMessage'];
export type SegmentResult = components['schemas']['SegmentResult'];
export type Session = components['schemas']['Session'];
export type ShopOrder = components['schemas']['ShopOrder'];
export type ShopProduct = components['schemas']['ShopProduct'];
export type SignedIn = components['schemas']['SignedIn'];
export type StockChange = components['schemas']['StockChange'];
export type SupposedAlert = components['schemas']['SupposedAlert'];
export type Trip = components['schemas']['Trip'];
export type UserFeatures = components['schemas']['UserFeatures'];
export type Verdict = components['schemas']['Verdict'];
export type WhatIf = components['schemas']['WhatIf'];
export type Workflow = components['schemas']['Workflow'];
export type WorkflowRun = components['schemas']['WorkflowRun'];
export type WriteKey = components['schemas']['WriteKey'];
export type ResponseBadRequest = components['responses']['BadRequest'];
export type ResponseFailed = components['responses']['Failed'];
export type ResponseForbidden = components['responses']['Forbidden'];
export type ResponseHeadTooLarge = components['responses']['HeadTooLarge'];
export type ResponseNotFound = components['responses']['NotFound'];
export type ResponseTooLarge = components['responses']['TooLarge'];
export type ResponseTooManyRequests = components['responses']['TooManyRequests'];
export type ResponseUnauthorized = components['responses']['Unauthorized'];
export type ResponseUnavailable = components['responses']['Unavailable'];
export type ResponseUnprocessable = components['responses']['Unprocessable'];
export type ResponseUnsupportedMediaType = components['responses']['UnsupportedMediaType'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
