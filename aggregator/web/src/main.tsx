/// <reference types="vite/client" />
import { render } from 'preact'
import { App } from './app.tsx'
import './theme.css'
import './page.css'
import './parts.css'
import './remediation.css'
import './inspection.css'

const place = document.getElementById('page')
if (place === null) throw new Error('index.html has no #page')
render(<App />, place)
