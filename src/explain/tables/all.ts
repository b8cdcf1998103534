// The tables that come with the package. A scheme with traps of its own adds its table to this list.
import type { Table } from '../table.ts'
import { AZURE } from './azure.ts'
import { HMAC } from './hmac.ts'
import { NGINX, NGINX_HMAC } from './nginx.ts'
import { PICHAX } from './pichax.ts'
import { SIGV4 } from './sigv4.ts'

export const TABLES: readonly Table[] = [HMAC, SIGV4, NGINX, NGINX_HMAC, AZURE, PICHAX]
